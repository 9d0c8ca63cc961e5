/*
 * Some systems have browsers whose language is none (`en-US@posix`, where LANG is C): uPlot asks for it as it is loaded,
 * and a page that throws there stays empty. Loaded before everything else.
 */
try {
  new Intl.NumberFormat(navigator.language)
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' })
}
