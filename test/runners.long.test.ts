/** The guide about `minq/testing`, on the packed package, in the runners that people use; also while their fake timers are on. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import ts from 'typescript';
import { read } from './helpers/docs.ts';
import { ROOT } from './helpers/cli.ts';

t.setTimeout(600_000);

const top = mkdtempSync(path.join(tmpdir(), 'minq-runners-'));
t.teardown(() => rmSync(top, { recursive: true, force: true }));
// As a user's shell has it: none of npm's or the test runner's variables.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|TAP|_TAPJS|NODE_)/.test(name)),
);
const run = (command: string, args: string[], more: Record<string, string> = {}, cwd = top) =>
  promisify(execFile)(command, args, { cwd, env: { ...env, ...more }, timeout: 300_000 }).then(
    ({ stdout, stderr }) => ({ failed: false, said: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({
      failed: true,
      said: error.stdout + error.stderr,
    }),
  );

const readme = read('src/testing/GUIDE.md');
/** What a transpiler makes of a file of README's: jest and node have none of their own. */
function compiled(file: string, edit = (text: string) => text): string {
  const [, text] = new RegExp(`^// ${file}\n([^]*?)^\`\`\`$`, 'm').exec(readme)!;
  const { outputText } = ts.transpileModule(edit(text!), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return outputText.replaceAll(/from '(\.\/[\w-]+)\.ts'/g, "from '$1.js'");
}

const NODE_TEST = "import { test } from 'node:test';";
const RUNNERS: Record<
  string,
  { test: string; fake: string; real: string; command: string[]; options?: string }
> = {
  'node:test': {
    test: "import { mock, test } from 'node:test';",
    fake: 'mock.timers.enable();',
    real: 'mock.timers.reset();',
    command: [process.execPath, '--test'],
  },
  vitest: {
    test: "import { test, vi } from 'vitest';",
    fake: 'vi.useFakeTimers();',
    real: 'vi.useRealTimers();',
    command: ['npx', 'vitest', 'run', '--root', '.'],
  },
  jest: {
    test: "import { jest, test } from '@jest/globals';",
    // It would take away what I/O goes on by; vitest and node:test leave that alone.
    fake: "jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });",
    real: 'jest.useRealTimers();',
    command: ['npx', 'jest'],
    options: '--experimental-vm-modules',
  },
  tap: {
    test: "import t from 'tap'; import { mock } from 'node:test'; const test = t.test.bind(t);",
    fake: 'mock.timers.enable();',
    real: 'mock.timers.reset();',
    command: ['npx', 'tap', 'run', '--allow-incomplete-coverage', '--disable-coverage'],
  },
};

void t.test('the package and the runners are installed', async (t) => {
  const { said } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', top],
    {},
    ROOT,
  );
  writeFileSync(path.join(top, 'package.json'), '{ "type": "module" }');
  const packages = [`./${said.trim()}`, 'js-redis-server@0.3', 'jest@30', 'vitest@4', 'tap@21'];
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const installed = await run('npm', ['install', ...packages, ...flags]);
  t.notOk(installed.failed, installed.said);
});

for (const [name, { test, fake, real, command, options }] of Object.entries(RUNNERS)) {
  void t.test(name, async (t) => {
    const folder = path.join(top, name.replace(':', '-'));
    mkdirSync(folder);
    for (const file of ['signup', 'signup-jobs']) {
      writeFileSync(path.join(folder, `${file}.js`), compiled(`${file}.ts`));
    }
    writeFileSync(
      path.join(folder, 'package.json'),
      '{ "type": "module", "jest": { "transform": {} } }',
    );
    const own = (text: string) => text.replace(NODE_TEST, test);
    const faked = (text: string) =>
      own(text)
        .replaceAll('async () => {', `async () => {\n${fake}\ntry {`)
        .replaceAll(/^\}\);$/gm, `} finally {\n${real}\n}\n});`);
    const page = compiled('signup-test.ts', own);
    writeFileSync(path.join(folder, 'real.test.js'), page);
    writeFileSync(path.join(folder, 'fake.test.js'), compiled('signup-test.ts', faked));
    for (const file of ['real.test.js', 'fake.test.js']) {
      const [program, ...args] = [...command, file];
      const more: Record<string, string> = options ? { NODE_OPTIONS: options } : {};
      const ran = await run(program!, args, { NO_COLOR: '1', ...more }, folder);
      t.notOk(ran.failed, `${file}: ${ran.said}`);
      t.match(ran.said, /\bpass:? 2\b|\b2 passed/, `${file}: both ran`);
    }
  });
}
