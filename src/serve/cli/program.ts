import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { EXIT } from './output.ts'

/** Every command, loaded only when it is the one: the service is half a second of imports, a table is none. */
const COMMANDS: readonly { name: string; description: string; load: () => Promise<Command> }[] = [
  { name: 'serve', description: 'run the HTTP service', load: async () => (await import('./serve.ts')).serveCommand() },
  {
    name: 'health',
    description: 'whether a running service is well',
    load: async () => (await import('./health.ts')).healthCommand(),
  },
  {
    name: 'evictions',
    description: 'what was evicted, when and why',
    load: async () => (await import('./evictions.ts')).evictionsCommand(),
  },
  {
    name: 'explain',
    description: "a key's life, and why it isn't there any more",
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  { name: 'cycles', description: 'eviction cycles', load: async () => (await import('./cycles.ts')).cyclesCommand() },
  {
    name: 'changes',
    description: 'who changed settings, evicted by hand or purged a cache',
    load: async () => (await import('./changes.ts')).changesCommand(),
  },
  {
    name: 'warnings',
    description: 'levels of memory usage, and who was writing',
    load: async () => (await import('./warnings.ts')).warningsCommand(),
  },
  {
    name: 'peaks',
    description: 'when memory and items were at their highest',
    load: async () => (await import('./peaks.ts')).peaksCommand(),
  },
  {
    name: 'runs',
    description: 'every run, and how it ended',
    load: async () => (await import('./runs.ts')).runsCommand(),
  },
  {
    name: 'verify',
    description: 'whether the log is complete and untouched',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  {
    name: 'crash',
    description: 'the last minutes of a run that ended without saying goodbye',
    load: async () => (await import('./crash.ts')).crashCommand(),
  },
  {
    name: 'regrets',
    description: 'what was evicted and asked for again, and what it cost',
    load: async () => (await import('./regrets.ts')).regretsCommand(),
  },
  {
    name: 'timeline',
    description: 'usage, hit rate and evictions over time',
    load: async () => (await import('./timeline.ts')).timelineCommand(),
  },
  {
    name: 'top',
    description: 'keys and prefixes by evictions, bytes or regrets',
    load: async () => (await import('./top.ts')).topCommand(),
  },
  {
    name: 'compare',
    description: 'what differs between two windows of time',
    load: async () => (await import('./compare.ts')).compareCommand(),
  },
  {
    name: 'doctor',
    description: 'what is wrong, and the setting to change',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'state',
    description: 'what was in the caches at a moment',
    load: async () => (await import('./state.ts')).stateCommand(),
  },
  {
    name: 'export',
    description: 'every event in the log, as JSON lines or CSV',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  {
    name: 'replay',
    description: 'a trace through the real cache',
    load: async () => (await import('./replay.ts')).replayCommand(),
  },
  {
    name: 'whatif',
    description: 'a recorded run, or a trace, under other policies and limits',
    load: async () => (await import('./whatif.ts')).whatIfCommand(),
  },
  {
    name: 'curve',
    description: 'hit ratio by size, under LRU',
    load: async () => (await import('./curve.ts')).curveCommand(),
  },
]

/** Runs the command and returns the exit code; what it throws is for the caller to say. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('muninn')
    .description('The cache that remembers what it forgot.')
    .version(version(), '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(muninn --help lists the commands, muninn COMMAND --help its options)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace("value ' -", "value '-")) })
  const asked = argv[0] === 'help' ? argv[1] : argv[0]
  for (const { name, description, load } of COMMANDS) {
    program.addCommand(
      name === asked ? (await load()).copyInheritedSettings(program) : new Command(name).description(description),
    )
  }
  try {
    await program.parseAsync(argv.map(asArgument), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said it; help and the version were asked for, everything else is a mistake in the call.
    return error.exitCode === 0 ? EXIT.fine : EXIT.usage
  }
  return EXIT.fine
}

/** A window such as `-2h..-1h` is no option, though it begins like one: a space before it says so, and nobody sees it. */
function asArgument(text: string): string {
  return /^-\d[^ ]*\.\./.test(text) ? ` ${text}` : text
}

function version(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown'
}
