// The least that fastify can do: one route, one answer of bytes that are there. Says its port on stdout.
import { fastify } from 'fastify'

const body = Buffer.from(process.argv[2] ?? '{}')
const app = fastify()
app.get('/item', async (_request, reply) => reply.type('application/json').send(body))
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(JSON.stringify({ url: app.listeningOrigin }))
