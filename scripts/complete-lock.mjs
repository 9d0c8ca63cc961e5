// Some registries serve a native package only for some platforms. npm then leaves the others out of package-lock.json,
// and `npm ci` refuses the lock as incomplete. This puts them in: name, version and platform, all that npm asks for.
import { readFileSync, writeFileSync } from 'node:fs'

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))

/** Whether a package at `place` finds `name` in a `node_modules` at or above it. */
function isFound(place, name) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true
    if (folder === '') return false
  }
}

/** What the package's own manifest says of its platform, read from its name, as in `binding-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-')
  const os = words.filter((word) => SYSTEMS.includes(word))
  const cpu = words.filter((word) => PROCESSORS.includes(word))
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: its name does not say for which platform it is`)
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc'
  return os[0] === 'linux' ? { os, cpu, libc: [libc] } : { os, cpu }
}

const added = []
for (const [place, parent] of Object.entries(lock.packages)) {
  if (place === '') continue
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isFound(place, name)) continue
    if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${place} wants ${name} ${version}, not one version`)
    const dev = parent.dev === true ? { dev: true } : {}
    lock.packages[`node_modules/${name}`] = { version, ...dev, optional: true, ...platformOf(name) }
    added.push(name)
  }
}

const byPlace = ([a], [b]) => a.localeCompare(b, 'en')
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPlace))
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(added.length === 0 ? 'package-lock.json is complete' : `added to package-lock.json:\n${added.join('\n')}`)
