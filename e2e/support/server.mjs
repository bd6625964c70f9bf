// Starts the real program with a data folder of its own, and stops it by its own process id.
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.MOTCUA_BIN ?? fileURLToPath(new URL('../../target/debug/motcua', import.meta.url));

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Starts the demonstration: reference data, the packages, a small town of dossiers, one-click sign-in for every role.
 * `args` are added to its command line, `env` to its environment; `port` and `data` start it again on what was kept.
 */
export async function startDemo({ args = [], env = {}, port, data, dossiers = 24, ready = 300_000 } = {}) {
  port ??= await freePort();
  const fresh = data === undefined;
  data ??= await mkdtemp(join(tmpdir(), 'motcua-e2e-'));
  const line = ['demo', '--port', String(port), '--data', data, '--dossiers', String(dossiers), ...(fresh ? ['--fresh'] : []), ...args];
  return start(line, { origin: `http://127.0.0.1:${port}`, port, data, env, ready });
}

/**
 * Starts the demonstration nation and waits until all its nodes serve. `site(folder)` is a member's site, for `visit`; `edge(folder)` is
 * where its own systems call; `links[folder][role]` are the one-click addresses. `data` starts it again on what was kept.
 */
export async function startNation({ data, dossiers = 3, ready = 300_000 } = {}) {
  data ??= await mkdtemp(join(tmpdir(), 'motcua-e2e-'));
  const line = ['demo', '--nation', '--port', '0', '--data', data, '--dossiers', String(dossiers)];
  const nation = await start(line, { data, env: {}, ready, until: (said) => said.includes('/exchange/map') });
  const settings = (folder) => readFileSync(join(data, folder, 'motcua.toml'), 'utf8');
  const links = {};
  for (const [, link, folder, role] of nation.output.matchAll(/(http:\/\/([a-z]+)\.localhost:\d+\/sign-in\/demo\/([a-z-]+)\?\S+)/g)) {
    (links[folder] ??= {})[role] = link;
  }
  const more = {
    links,
    site: (folder) => ({
      origin: settings(folder).match(/public_url = "(.+?)"/)[1],
      local: `http://${settings(folder).match(/listen = "(.+?)"/)[1]}`,
    }),
    edge: (folder) => `http://${settings(folder).match(/edge = "(.+?)"/)[1]}`,
  };
  return Object.create(nation, Object.getOwnPropertyDescriptors(more));
}

/** Serves one node of a nation by itself, after it was stopped. */
export function startNode(nation, folder) {
  const { data } = nation;
  return start(['serve', '--config', join(data, folder, 'motcua.toml')], { origin: nation.site(folder).local, data, ready: 60_000 });
}

/** Serves as in production, with this configuration (TOML); `ca` is the authority (PEM) of its certificate. */
export async function startServe({ config, origin, port, data, args = [], env = {}, ca, ready = 60_000 }) {
  // Beside the data: a fresh start empties the folder.
  const file = `${data}.toml`;
  await writeFile(file, config);
  return start(['serve', '--config', file, ...args], { origin, port, data, env, ca, ready });
}

/** Runs the program to its end. */
export function run(...line) {
  return new Promise((resolve) => {
    execFile(BINARY, line, { env: { ...process.env, NO_COLOR: '1' }, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, said: stdout + stderr }),
    );
  });
}

/** Runs the program until `origin` is healthy, or what it has said is enough for `until`. */
async function start(line, { origin, port, data, env, ca, ready, until }) {
  const child = spawn(BINARY, line, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => (said += text));
  }
  let ended = null;
  const end = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve((ended = signal ?? `exit code ${code}`)));
    child.once('error', (error) => resolve((ended = error.message)));
  });
  const server = {
    origin,
    port,
    data,
    pid: child.pid,
    get output() {
      return said;
    },
    /** The one-click addresses that the program printed, by role. */
    get links() {
      const found = said.matchAll(/(https?:\/\/\S*\/sign-in\/demo\/([a-z-]+)\?\S+)/g);
      return Object.fromEntries([...found].map(([, link, role]) => [role, link]));
    },
    /** Stops it: gracefully, or at once with 'SIGKILL', as a power cut would. The data stay with `keep`. */
    async stop({ signal = 'SIGTERM', keep = false } = {}) {
      if (ended === null) child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await end;
      clearTimeout(late);
      if (!keep) await Promise.all([data, `${data}.toml`].map((path) => rm(path, { recursive: true, force: true })));
      return ended;
    },
  };
  const deadline = Date.now() + ready;
  for (;;) {
    if (ended !== null) throw new Error(`${BINARY} ${line.join(' ')} ended (${ended}):\n${said}`);
    const served = until ? until(said) : (await ask(`${origin}/healthz`, { ca }).catch(() => ({}))).status === 200;
    if (served) return server;
    if (Date.now() > deadline) {
      await server.stop();
      throw new Error(`not ready after ${ready / 1000} s:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One request on a connection of its own, trusting only `ca` where it is given. */
export function ask(url, { ca, method = 'GET', headers = {}, body, timeout = 10_000, ...tls } = {}) {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const sent = request(url, { method, headers, ca, agent: false, timeout, ...tls }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => (text += part));
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeout} ms`))).on('error', reject);
    sent.end(body);
  });
}
