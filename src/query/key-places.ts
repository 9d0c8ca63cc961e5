/** Of `key_index`, which table a row is in. */
const KINDS = { evictions: 0, key_events: 1 } as const

/**
 * The rows in a table of the keys that `:keys` lists (JSON), as `e`, without a scan of it: sealed segments are asked by
 * their index of keys, open ones (at most an hour or 32,768 rows of each run that writes) are read through.
 * `cross join` fixes the order.
 */
export function rowsOfKeys(table: keyof typeof KINDS): string {
  return `(
    select s.run_id as place_run, k.seq as place_seq
    from (select distinct value as key from json_each(:keys)) w cross join segments s
      cross join key_index k on k.segment = s.id and k.key = w.key and k.kind = ${KINDS[table]}
    where s.sealed > 0
    union all
    select s.run_id, o.seq
    from segments s cross join ${table} o on o.run_id = s.run_id and o.seq between s.first_seq and s.last_seq
    where s.sealed = 0 and o.key in (select value from json_each(:keys))
  ) cross join ${table} e on e.run_id = place_run and e.seq = place_seq`
}
