/** What the tests use of it: its own types would bring those of a dozen packages. */
declare module 'express' {
  import type { RequestListener } from 'node:http'

  interface Application extends RequestListener {
    use(...handlers: readonly unknown[]): void
    post(path: string, handler: unknown): void
  }
  function express(): Application
  namespace express {
    function json(): unknown
  }
  export default express
}
