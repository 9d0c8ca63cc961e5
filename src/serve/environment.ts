import type { Environment } from '../base/environment.ts'
import { EnvironmentError } from '../base/errors.ts'
import { parseTokens, type Token, TokenListError } from './http/tokens.ts'

/** What only the service reads from the environment; the caches' own variables are `optionsFromEnv`'s. */
export interface ServiceEnvironment {
  readonly host: string
  readonly port: number
  readonly tokens: readonly Token[]
  /** Names that `Host` may have, besides those of loopback where it listens there; `null`: no list given. */
  readonly allowedHosts: readonly string[] | null
  readonly logLevel: LogLevel
  /** Whether `/readyz` fails while the audit log is in trouble. */
  readonly requireAudit: boolean
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What `serviceFromEnv` reads. */
export const SERVICE_VARIABLE_NAMES: readonly string[] = [
  'MUNINN_HOST',
  'MUNINN_PORT',
  'MUNINN_TOKEN',
  'MUNINN_ALLOWED_HOSTS',
  'MUNINN_LOG_LEVEL',
  'MUNINN_REQUIRE_AUDIT',
]

/** @throws {EnvironmentError} naming the variable, its value (never a token) and what is allowed. */
export function serviceFromEnv(env: Environment): ServiceEnvironment {
  return {
    host: textOf(env, 'MUNINN_HOST', 'give an address to listen on, as 127.0.0.1') ?? '127.0.0.1',
    port: portOf(env),
    tokens: tokensOf(env),
    allowedHosts: hostsOf(env),
    logLevel: logLevelOf(env),
    requireAudit: flagOf(env, 'MUNINN_REQUIRE_AUDIT'),
  }
}

function textOf(env: Environment, variable: string, allowed: string): string | undefined {
  const value = env[variable]
  if (value !== undefined && !/^[^\s]+$/.test(value)) throw new EnvironmentError(variable, value, allowed)
  return value
}

/** A port number, or `undefined` where the text is none. */
export function portFrom(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

function portOf(env: Environment): number {
  const value = env.MUNINN_PORT
  if (value === undefined) return 8080
  const port = portFrom(value)
  if (port === undefined) {
    throw new EnvironmentError('MUNINN_PORT', value, 'give a port from 0 (any free one) to 65535')
  }
  return port
}

function tokensOf(env: Environment): readonly Token[] {
  const value = env.MUNINN_TOKEN
  if (value === undefined) return []
  try {
    return parseTokens(value)
  } catch (error) {
    if (!(error instanceof TokenListError)) throw error
    // The value is a secret: an error message ends in logs.
    throw new EnvironmentError('MUNINN_TOKEN', '(not shown)', error.message)
  }
}

/** `name` or `name:port`; an IPv6 address stands in brackets. */
const HOST_NAME = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i

function hostsOf(env: Environment): readonly string[] | null {
  const value = env.MUNINN_ALLOWED_HOSTS
  if (value === undefined) return null
  const hosts = value.split(',').map((host) => host.trim().toLowerCase())
  if (!hosts.every((host) => HOST_NAME.test(host))) {
    throw new EnvironmentError(
      'MUNINN_ALLOWED_HOSTS',
      value,
      'give host names with or without a port, separated by commas',
    )
  }
  return hosts
}

function logLevelOf(env: Environment): LogLevel {
  const value = env.MUNINN_LOG_LEVEL
  if (value === undefined) return 'info'
  const level = LOG_LEVELS.find((one) => one === value)
  if (level === undefined) throw new EnvironmentError('MUNINN_LOG_LEVEL', value, `give one of ${LOG_LEVELS.join(', ')}`)
  return level
}

function flagOf(env: Environment, variable: string): boolean {
  const value = env[variable]
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new EnvironmentError(variable, value, 'give true or false')
}
