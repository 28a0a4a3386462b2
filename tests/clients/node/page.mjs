// A page in the system's Chromium, through playwright-core: lines of JSON steps in, a line of JSON out for each.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const tell = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);
const browser = await chromium.launch({
  executablePath: process.env.COUNTERSIGN_CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync', '--no-proxy-server'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
page.setDefaultTimeout(25_000);
const complaints = [];
page.on('console', (message) => {
  if (message.type() === 'error') complaints.push(message.text());
});
page.on('pageerror', (error) => complaints.push(String(error)));

const steps = {
  goto: ({ url }) => page.goto(url).then(() => null),
  see: async ({ selector }) => {
    const found = page.locator(selector).first();
    await found.waitFor({ state: 'visible' });
    return found.innerText();
  },
  gone: ({ selector }) => page.locator(selector).first().waitFor({ state: 'hidden' }).then(() => null),
  click: ({ selector }) => page.locator(selector).first().click().then(() => null),
  press: ({ key }) => page.keyboard.press(key).then(() => null),
  count: ({ selector }) => page.locator(selector).count(),
  run: ({ function: text, argument }) => page.evaluate(`(${text})(${JSON.stringify(argument ?? null)})`),
  complaints: () => complaints,
};

tell({ value: null });
for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  try {
    tell({ value: (await steps[step.do](step)) ?? null });
  } catch (error) {
    tell({ error: `${step.do} ${step.selector ?? step.url ?? ''}: ${error}` });
  }
}
await browser.close();
