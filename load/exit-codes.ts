/** What the exit codes of `load` mean: those of the suite, and that of k6 for a bound that was crossed. */
export const loadExitCodes = {
  passed: 0,
  broken: 1,
  usage: 2,
  incomplete: 3,
  unreachable: 4,
  crossed: 99,
  interrupted: 130,
} as const;
