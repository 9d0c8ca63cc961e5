#!/usr/bin/env node
import { MissingDependencyError } from '../../base/errors.ts'
import { complain, EXIT, exitCodeOf } from './output.ts'

// `muninn evictions | head` closes the pipe: whoever reads has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.fine : EXIT.no))

try {
  // Loaded here, so that a package that is missing can be told from a bug.
  const { run } = await import('./program.ts')
  const code = await run(process.argv.slice(2))
  if (code !== EXIT.fine) process.exitCode = code
} catch (thrown) {
  const error = asMissingDependency(thrown) ?? thrown
  complain(error)
  process.exitCode = exitCodeOf(error)
}

/** What the command line and the service stand on are optional dependencies: who left them out learns what to install. */
function asMissingDependency(error: unknown): MissingDependencyError | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return undefined
  const name = /Cannot find package '([^']+)'/.exec(error.message)?.[1]
  return name === undefined ? undefined : new MissingDependencyError(name, 'this command', error)
}
