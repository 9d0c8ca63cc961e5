declare module 'parse-prometheus-text-format' {
  /** Metric families of an exposition in Prometheus' text format. */
  export default function parse(text: string): unknown
}
