const names = ['SIGINT', 'SIGTERM'] as const;

/**
 * Keeps this process alive at the first signal, and lets the second do what signals do. It takes that where a package
 * (signal-exit, which testcontainers brings) ends the process itself when nobody else listens: who listened once is
 * not there any more by then.
 * @returns what ends it
 */
export function outliveFirstSignal(): () => void {
  let came = 0;
  const listen = (name: NodeJS.Signals) => {
    came += 1;
    if (came === 1) return;
    end();
    process.kill(process.pid, name);
  };
  const end = () => {
    for (const name of names) process.off(name, listen);
  };
  for (const name of names) process.on(name, listen);
  return end;
}
