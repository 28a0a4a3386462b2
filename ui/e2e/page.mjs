// Serves the built page under the hub's content security policy and opens it in the system's Chromium.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, 'node_modules/.e2e');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];

/** When the newest of these files, or of the files in these folders, was changed. */
function changed(...names) {
  const all = names.flatMap((name) => [name, ...(statSync(name).isDirectory() ? readdirSync(name, { recursive: true }).map((file) => join(name, file)) : [])]);
  return Math.max(...all.map((file) => statSync(file).mtimeMs));
}

/** Builds with the mock platform in it, unless what is built is newer than all that it is made of. */
export function build() {
  const sources = ['src', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'].map((name) => join(ROOT, name));
  const page = join(BUILT, 'index.html');
  if (existsSync(page) && statSync(page).mtimeMs > changed(...sources)) return;
  execFileSync(process.execPath, [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--mode', 'test', '--logLevel', 'warn'], { cwd: ROOT, stdio: 'inherit' });
}

/** Answers with the built files. */
export async function files(request, response) {
  const path = normalize(new URL(request.url, 'http://page').pathname).replace(/^([/\\]|\.\.)+/, '');
  const file = join(BUILT, path === '' ? 'index.html' : path);
  try {
    const body = await readFile(file);
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': "default-src 'self'" });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

export async function serve() {
  const server = createServer(files);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/**
 * For the page to run: in the very turn in which `shows` has `words` it presses `key`, or clicks, at `on`. However busy the machine
 * is, the moment in which answers are inert has not passed by then. `done` waits for it.
 */
export function atOnce({ shows, words = '', on, key }) {
  window.pressedAtOnce = new Promise((done) => {
    const look = () => {
      if (!document.querySelector(shows)?.textContent.includes(words)) return;
      watcher.disconnect();
      const target = document.querySelector(on);
      if (key) target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      else target.click();
      done();
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { childList: true, subtree: true, characterData: true });
  });
}

export const done = (page) => page.evaluate(() => window.pressedAtOnce);

/** A page in one mock state, loaded; what it complains about is collected in `complaints`. `before` runs before the page does. */
export async function open(browser, url, state, { width = 1280, height = 800, scheme = 'light', before } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  // The desktop freezes it, so nothing in the page may lean on it.
  await page.addInitScript(() => Object.freeze(Object.prototype));
  page.complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await before?.(page);
  await page.goto(`${url}/?mock=${state}`);
  await page.locator('#app > .window[aria-busy="false"]').waitFor();
  return page;
}
