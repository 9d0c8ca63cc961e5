import type { PolicyName } from '../../base/settings.ts'
import { Hybrid } from './hybrid/hybrid.ts'
import { Lfu } from './lfu.ts'
import { Lru } from './lru.ts'
import type { PolicyClass } from './policy.ts'
import { Size } from './size.ts'
import { Ttl } from './ttl.ts'

/** Every policy. A new one is a file beside these, its name in `POLICIES`, and a line here. */
export const POLICY_CLASSES: Readonly<Record<PolicyName, PolicyClass>> = {
  lru: Lru,
  lfu: Lfu,
  ttl: Ttl,
  size: Size,
  hybrid: Hybrid,
}
