/** Compiles the files of type tests, so that `npm test` alone holds the types too. */
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';

const here = import.meta.dirname;
const text = (problem: ts.Diagnostic) => ts.flattenDiagnosticMessageText(problem.messageText, '\n');

void t.test('the compiler accepts and refuses what the type tests say', async (t) => {
  t.setTimeout(60_000);
  const config = ts.getParsedCommandLineOfConfigFile(
    path.join(here, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => t.fail(text(problem)) },
  )!;
  const tests = ['queue/types.test-d.ts', 'flow/types.test-d.ts', 'testing/types.test-d.ts'];
  const program = ts.createProgram(
    tests.map((file) => path.join(here, file)),
    config.options,
  );
  const files = program.getSourceFiles().filter((file) => !file.fileName.includes('node_modules'));
  t.ok(files.some((file) => file.fileName.endsWith('src/queue/queue.ts')));
  const problems = ts.getPreEmitDiagnostics(program).map((problem) => {
    const { file, start = 0 } = problem;
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${path.basename(file?.fileName ?? '')}:${line} ${text(problem)}`;
  });
  t.same(problems, []);
});
