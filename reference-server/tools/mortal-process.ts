import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';

/** How `fork` is told to start a program; see {@link mortal}. */
export type Launch = Pick<ForkOptions, 'execPath' | 'execArgv'>;

// What `exec` replaces keeps its process id and its channel. Where there is no setpriv that can, processor time ends it.
const script = `ulimit -t "$1"; shift
if setpriv --pdeathsig KILL true 2> /dev/null; then exec setpriv --pdeathsig KILL "$@"; fi
exec "$@"`;

/**
 * Starts Node so that it does not outlive the process that started it, even where that one is killed and the program
 * never pauses to notice: on Linux by the kernel, elsewhere when it has used its processor time. Windows has neither.
 * @param execArgv options of Node
 * @param cpuSeconds processor time after which it is ended in any case
 */
export function mortal(execArgv: readonly string[], cpuSeconds: number): Launch {
  if (process.platform === 'win32') return { execArgv: [...execArgv] };
  return {
    execPath: '/bin/sh',
    execArgv: ['-c', script, 'sh', String(cpuSeconds), process.execPath, ...execArgv],
  };
}

/** Starts a program of Node that ends with this process. */
export function forkMortal(
  program: string,
  args: readonly string[],
  { execArgv, cpuSeconds, ...options }: ForkOptions & { readonly execArgv: string[]; readonly cpuSeconds: number },
): ChildProcess {
  return fork(program, args, { ...options, ...mortal(execArgv, cpuSeconds) });
}
