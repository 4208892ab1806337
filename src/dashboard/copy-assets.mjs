/**
 * Puts beside the compiled pages what they are served with: the page itself, its styles, and the code of others, each
 * with its licence. There is no bundler: browsers load modules. And what is made of the metrics: a dashboard for
 * Grafana, and alerts.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const from = (file) => fileURLToPath(new URL(file, import.meta.url));
const to = (file) => fileURLToPath(new URL(`../../dist/dashboard/${file}`, import.meta.url));
const resolve = (name) => createRequire(import.meta.url).resolve(name);
const read = (file) => readFileSync(file, 'utf8');

/** Says whose it is, in front; the map of the published file isn't served. */
function vendor(file, name, text) {
  const folder = resolve(`${name}/package.json`).replace(/package\.json$/, '');
  const { version } = JSON.parse(read(`${folder}package.json`));
  const banner = `/*! ${name} ${version}\n\n${read(`${folder}LICENSE`).trim()}\n*/\n`;
  writeFileSync(
    to(`page/vendor/${file}`),
    banner + text.replace(/^\/\/# sourceMappingURL=.*$/m, ''),
  );
}

const FILES = ['page/index.html', 'page/style.css', 'grafana.json', 'alerts.yml'];

mkdirSync(to('page/vendor'), { recursive: true });
for (const file of FILES) copyFileSync(from(file), to(file));

vendor('preact.js', 'preact', read(resolve('preact')));
const hooks = read(resolve('preact/hooks'));
const rewritten = hooks.replace(/(from\s*)(['"])preact\2/g, '$1$2./preact.js$2');
if (rewritten === hooks) throw new Error("preact/hooks doesn't import 'preact' as it did");
vendor('hooks.js', 'preact', rewritten);

const plot = resolve('uplot/package.json').replace(/package\.json$/, 'dist/');
vendor('uplot.js', 'uplot', `${read(`${plot}uPlot.iife.min.js`)}\nexport default uPlot;\n`);
vendor('uplot.css', 'uplot', read(`${plot}uPlot.min.css`));
