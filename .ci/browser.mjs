// Opens pages of the built book in headless Chromium, as a reader would, and fails on what a reader would meet:
// a console error, a request to another host, an objection of axe-core, a page that scrolls sideways on a phone,
// a question without its answer when scripts are off.
//
//   node .ci/browser.mjs BASE_URL [PAGE...] [--themes light,coal] [--shots DIR] [--max-kb N]
//
// Without pages: every page of the table of contents. The browser is $CHROMIUM, else the first of chromium,
// chromium-browser, google-chrome on the PATH.

import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const options = { themes: 'light,coal', shots: '', 'max-kb': '' };
const words = [];
const args = process.argv.slice(2);
while (args.length > 0) {
  const word = args.shift();
  const name = word.replace(/^--/, '');
  if (word.startsWith('--') && name in options) options[name] = args.shift() ?? '';
  else words.push(word);
}
const [given, ...pages] = words;
if (!given) {
  console.error('usage: node .ci/browser.mjs BASE_URL [PAGE...] [--themes light,coal] [--shots DIR] [--max-kb N]');
  process.exit(2);
}
const base = given.endsWith('/') ? given : `${given}/`;
const host = new URL(base).host;

const findBrowser = () => {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this directory.
      }
    }
  }
  console.error('no Chromium found: install chromium, or set CHROMIUM to its path');
  process.exit(2);
};

if (pages.length === 0) {
  const toc = await fetch(new URL('toc.html', base)).then((answer) => (answer.ok ? answer.text() : ''));
  pages.push(...new Set([...toc.matchAll(/<a href="([^"#]+\.html)"/g)].map((match) => match[1])));
}
if (pages.length === 0) {
  console.error(`no pages: ${base}toc.html lists none`);
  process.exit(2);
}
if (options.shots) mkdirSync(options.shots, { recursive: true });

const failures = [];
let checks = 0;
const expect = (holds, page, message) => {
  checks += 1;
  if (!holds) failures.push(`${page}: ${message}`);
};

const browser = await chromium.launch({
  executablePath: findBrowser(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const open = async (page, { theme, width, scripts = true }) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, javaScriptEnabled: scripts, reducedMotion: 'reduce' });
  if (scripts) await context.addInitScript((name) => localStorage.setItem('mdbook-theme', name), theme);
  const tab = await context.newPage();
  const seen = { errors: [], foreign: [], failed: [], sizes: [] };
  tab.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(message.text());
  });
  tab.on('pageerror', (error) => seen.errors.push(error.message));
  tab.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== host) seen.foreign.push(request.url());
  });
  tab.on('requestfailed', (request) => seen.failed.push(`${request.url()} (${request.failure()?.errorText})`));
  tab.on('response', (response) => {
    if (response.status() >= 400) seen.failed.push(`${response.url()} (${response.status()})`);
    else seen.sizes.push(response.body().then((body) => body.length));
  });
  await tab.goto(new URL(page, base).href, { waitUntil: 'load' });
  if (scripts) await tab.evaluate(() => document.fonts.ready.then(() => {}));
  await tab.waitForTimeout(150);
  return { context, tab, seen };
};

const shoot = async (tab, page, name) => {
  if (options.shots) await tab.screenshot({ path: join(options.shots, `${page.replace(/\W+/g, '-')}-${name}.png`) });
};

for (const page of pages) {
  for (const theme of options.themes.split(',')) {
    const label = `${page} (${theme})`;
    const { context, tab, seen } = await open(page, { theme, width: 1280 });
    await shoot(tab, page, `${theme}-1280`);
    if (options['max-kb']) {
      const kb = Math.round((await Promise.all(seen.sizes)).reduce((sum, size) => sum + size, 0) / 1000);
      expect(kb <= Number(options['max-kb']), label, `loads ${kb} KB, more than ${options['max-kb']}`);
    }
    // What is folded is part of the page.
    await tab.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
    await tab.waitForTimeout(50);
    await tab.evaluate(axe);
    const { violations } = await tab.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const found = violations.map((violation) => {
      const nodes = violation.nodes.slice(0, 4).map((node) => `      ${node.target.join(' ')}: ${node.any[0]?.message ?? node.failureSummary}`);
      return `\n    ${violation.id}: ${violation.help} (${violation.nodes.length})\n${nodes.join('\n')}`;
    });
    expect(found.length === 0, label, `axe-core objects:${found.join('')}`);
    expect(seen.errors.length === 0, label, `console errors: ${seen.errors.join('; ')}`);
    expect(seen.foreign.length === 0, label, `requests to another host: ${seen.foreign.join(', ')}`);
    expect(seen.failed.length === 0, label, `failed requests: ${seen.failed.join(', ')}`);
    await Promise.allSettled(seen.sizes);
    await context.close();

    const phone = await open(page, { theme, width: 360 });
    await shoot(phone.tab, page, `${theme}-360`);
    await phone.tab.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
    const wide = await phone.tab.evaluate(() => [document.documentElement, document.body, document.getElementById('mdbook-content')]
      .filter((node) => node && node.scrollWidth > node.clientWidth + 1)
      .map((node) => `${node.id || node.localName}: ${node.scrollWidth} px in ${node.clientWidth}`));
    expect(wide.length === 0, label, `scrolls sideways at 360 px (${wide.join(', ')})`);
    await Promise.allSettled(phone.seen.sizes);
    await phone.context.close();
  }

  const plain = await open(page, { theme: 'light', width: 1280, scripts: false });
  const questions = await plain.tab.locator('.m-question').count();
  const answers = await plain.tab.locator('.m-question details.m-answer:has(summary)').count();
  expect(questions === answers, page, `${questions} questions and ${answers} answers without a script`);
  expect((await plain.tab.locator('main h1').count()) === 1, page, 'no title, or more than one, without a script');
  await Promise.allSettled(plain.seen.sizes);
  await plain.context.close();
}
await browser.close();

if (failures.length > 0) {
  console.error(failures.join('\n'));
  console.error(`${failures.length} of ${checks} checks failed on ${pages.length} pages`);
  process.exit(1);
}
console.log(`${checks} checks hold on ${pages.length} pages (${options.themes})`);
