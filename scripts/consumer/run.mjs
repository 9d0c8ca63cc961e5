import { MemoryManager } from 'muninn-cache'

// Twenty-five adds into ten places: the first fifteen keys leave, oldest first, and the log says so.
const memory = new MemoryManager({ maxItems: 10, policy: 'lru', audit: './audit.db' })
const tenants = memory.cache('tenant')
for (let number = 1; number <= 25; number++) tenants.set(`customer:${number}`, { number })
const size = tenants.size
await memory.close()
console.log(JSON.stringify({ size }))
