export { recorder, type Enqueued, type Recorder } from './recorder.ts';
export { testing, type TestedRun, type Testing, type TestingOptions } from './testing.ts';
