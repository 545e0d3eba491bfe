// Starts the Chromium that the scripts drive: /usr/bin/chromium (Debian: apt-get install chromium), or the one that
// CHROMIUM names. playwright-core comes from `npm ci --prefix spec/browser`.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../spec/browser/package.json', import.meta.url))('playwright-core');

const OPTIONS = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** A browser without a past. @param args further flags */
export const launchChromium = (args = []) => chromium.launch({ ...OPTIONS, args: [...OPTIONS.args, ...args] });

/** One whose profile is kept in a folder. */
export const launchProfile = (folder, options) => chromium.launchPersistentContext(folder, { ...OPTIONS, ...options });
