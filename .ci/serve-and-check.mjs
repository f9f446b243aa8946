// Serves the built book below a path, as a plain file server would, and has browser.mjs read every page.
//
//   node .ci/serve-and-check.mjs [BROWSER [REPORTS [PAGE...]]]      $BOOK is the built book, else book/book

import { spawn } from 'node:child_process';
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const book = process.env.BOOK || join(here, '../book/book');
const [browser, reports, ...pages] = process.argv.slice(2);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.ipynb': 'application/json',
};
const PREFIX = '/a/folder/';

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const inside = pathname.startsWith(PREFIX) ? normalize(`/${decodeURIComponent(pathname.slice(PREFIX.length))}`) : '';
  const path = join(book, inside.endsWith('/') ? `${inside}index.html` : inside);
  try {
    if (!inside || !statSync(path).isFile()) throw new Error('no such file');
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    createReadStream(path).pipe(response);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
  }
});

server.listen(0, '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}${PREFIX}`;
  const args = [join(here, 'browser.mjs'), base, ...pages, '--max-kb', '600', ...(reports ? ['--shots', join(reports, 'pages')] : [])];
  const env = { ...process.env, ...(browser ? { CHROMIUM: browser } : {}) };
  spawn(process.execPath, args, { env, stdio: 'inherit' }).on('exit', (code) => {
    server.close();
    server.closeAllConnections();
    process.exitCode = code ?? 1;
  });
});
