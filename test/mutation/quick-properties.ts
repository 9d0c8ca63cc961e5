import fc from 'fast-check'

/** ms of one property: most mutants die in the first of them, and those that live cost all tests that reach them. */
const LONGEST = 300

// Nobody reads the smallest counterexample.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true, interruptAfterTimeLimit: LONGEST })
