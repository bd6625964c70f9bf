// A clock that is ahead: what the program is to do in a fortnight it does in a moment, and nothing in its data is touched.
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Stands between the program and the clock of the machine. Clocks that only measure how long something takes stay as they are. */
const SHIM = `#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
  long failed = syscall(SYS_clock_gettime, clock, now);
  const char *ahead = getenv("AHEAD_SECONDS");
  if (failed == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
  return (int)failed;
}
`;

/** The environment in which the program's clock is so many days ahead. */
export async function daysAhead(days) {
  const folder = await mkdtemp(join(tmpdir(), 'motcua-clock-'));
  const [source, library] = [join(folder, 'clock.c'), join(folder, 'clock.so')];
  await writeFile(source, SHIM);
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  return { LD_PRELOAD: library, AHEAD_SECONDS: String(days * 86_400) };
}
