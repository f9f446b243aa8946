// A learner's way through JupyterLab in headless Chromium: from the button of a chapter to its notebook, all cells, a restart,
// all cells again. Fails when a cell fails, when one shows nothing new, or when the kernel has to be chosen by hand.
//
//   node .ci/lab.mjs ADDRESS [CHAPTER [SHOTS]]       ADDRESS is what `cargo course` printed, with its key

import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const [address, chapter = '04-adam', shots = ''] = process.argv.slice(2);
if (!address) {
  console.error('usage: node .ci/lab.mjs ADDRESS [CHAPTER [SHOTS]]');
  process.exit(2);
}
const findBrowser = () => {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      try {
        accessSync(join(directory, name), constants.X_OK);
        return join(directory, name);
      } catch {
        // Not in this directory.
      }
    }
  }
  console.error('no Chromium found: install chromium, or set CHROMIUM to its path');
  return process.exit(2);
};
if (shots) mkdirSync(shots, { recursive: true });

const MINUTES = 60_000;
const browser = await chromium.launch({ executablePath: findBrowser(), args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
// JupyterLab shows its program to a tester whose page asks for it.
await context.addInitScript(() => {
  const shown = '"exposeAppInBrowser": ';
  new MutationObserver((_, observer) => {
    const settings = document.getElementById('jupyter-config-data');
    if (!settings?.textContent.includes(`${shown}false`)) return;
    settings.textContent = settings.textContent.replace(`${shown}false`, `${shown}true`);
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
});
context.setDefaultNavigationTimeout(5 * MINUTES);
const tab = await context.newPage();
const shoot = (name) => (shots ? tab.screenshot({ path: join(shots, `lab-${name}.png`) }).catch(() => {}) : null);
const seconds = (began) => `${((Date.now() - began) / 1000).toFixed(1)} s`;

// The notebook as JupyterLab holds it: what each cell has, and what the kernel does.
const state = () =>
  tab.evaluate(() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const cells = panel?.content?.model?.cells;
    if (!cells) return null;
    const code = [...cells].filter((cell) => cell.type === 'code' && cell.sharedModel.getSource().trim());
    return {
      kernel: panel.sessionContext.kernelDisplayName,
      status: panel.sessionContext.kernelDisplayStatus,
      cells: code.length,
      executed: code.filter((cell) => cell.executionCount !== null).length,
      errors: code.flatMap((cell) => cell.outputs.toJSON().filter((output) => output.output_type === 'error').map((output) => output.evalue)),
      figures: code.flatMap((cell) => cell.outputs.toJSON()).filter((output) => output.data?.['image/svg+xml']).length,
      outputs: code.filter((cell) => cell.outputs.length > 0).length,
    };
  });

const until = async (what, holds, most = 5 * MINUTES) => {
  const began = Date.now();
  for (;;) {
    const now = await state().catch(() => null);
    if (now?.errors.length > 0) throw new Error(`${what}: a cell failed: ${now.errors.join('; ')}`);
    if (now && holds(now)) return now;
    if (Date.now() - began > most) throw new Error(`${what}: not within ${most / MINUTES} minutes: ${JSON.stringify(now)}`);
    await tab.waitForTimeout(100);
  }
};

const command = (id, most = MINUTES) => {
  // A command may ask before it does anything; the answer is the last button of the dialog.
  const asked = tab
    .locator('dialog .jp-Dialog-button.jp-mod-accept, .jp-Dialog .jp-Dialog-button.jp-mod-accept')
    .first()
    .click({ timeout: most })
    .catch(() => {});
  const done = tab.evaluate((name) => void window.jupyterapp.commands.execute(name), id);
  return { asked, done };
};

try {
  await tab.goto(address, { waitUntil: 'load' });
  await tab.goto(new URL(`/${chapter}.html`, address).href, { waitUntil: 'load' });
  const began = Date.now();
  await tab.getByRole('link', { name: 'Open in JupyterLab' }).first().click();
  await tab.waitForURL(/\/lab\/tree\//, { timeout: 5 * MINUTES });
  const opened = await until('the notebook opens on its kernel', (now) => now.status === 'idle');
  console.log(`the button of ${chapter} opens its notebook on "${opened.kernel}" after ${seconds(began)}`);
  if (!opened.kernel.startsWith('Rust (Moments')) throw new Error(`the notebook is on ${opened.kernel}`);
  // A copy that was opened before has outputs of then.
  await command('notebook:clear-all-cell-outputs').done;
  await until('the outputs are cleared', (now) => now.outputs === 0);

  const ran = Date.now();
  await command('notebook:run-all-cells').done;
  const first = await until('all cells run', (now) => now.executed === now.cells && now.status === 'idle', 15 * MINUTES);
  console.log(`all ${first.cells} cells ran within ${seconds(ran)}: ${first.outputs} show something, ${first.figures} a figure`);
  if (first.figures === 0) throw new Error('no figure was shown');
  await shoot('run');

  const restarted = Date.now();
  const { asked } = command('notebook:restart-run-all', MINUTES);
  await asked;
  await until('the restart begins', (now) => now.executed < now.cells);
  const one = await until('the first cell runs again', (now) => now.executed >= 1);
  console.log(`after a restart the first of ${one.cells} cells has run within ${seconds(restarted)}`);
  const second = await until('all cells run again', (now) => now.executed === now.cells && now.status === 'idle', 15 * MINUTES);
  console.log(`all cells ran again within ${seconds(restarted)}`);
  if (second.figures !== first.figures || second.outputs !== first.outputs) {
    throw new Error(`the second run shows something else: ${JSON.stringify([first, second])}`);
  }
  await shoot('restarted');
} catch (error) {
  await shoot('failed');
  console.error(`lab: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
