/** NestJS: the queue as a provider; a request that asks for a report is answered at once, with where to ask for it. */
import 'reflect-metadata';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  NotFoundException,
  Param,
  Post,
  ServiceUnavailableException,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue, RedisUnavailableError, ResultNotFoundError } from 'minq';
import { dashboard } from 'minq/dashboard';

const isMonth = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d$/.test(value);

const STATUS = {
  queued: 'pending',
  scheduled: 'pending',
  waiting: 'pending',
  active: 'in progress',
  completed: 'done',
  failed: 'failed',
  cancelled: 'failed',
};

type ReportQueue = Queue<typeof import('./jobs.ts')>;
const QUEUE = Symbol('queue');

/** What minq throws, in Nest's words. */
function said(error: unknown): never {
  if (error instanceof ResultNotFoundError) throw new NotFoundException('no such report');
  if (error instanceof RedisUnavailableError) throw new ServiceUnavailableException('try again');
  throw error;
}

@Controller('reports')
class Reports implements OnApplicationShutdown {
  constructor(@Inject(QUEUE) private readonly queue: ReportQueue) {}

  @Post()
  @HttpCode(202)
  async make(@Body() { month }: { month?: unknown }) {
    if (!isMonth(month)) throw new BadRequestException('month: give one, e.g. 2026-11');
    const { id } = await this.queue.enqueue('makeReport', [month]).catch(said);
    return { id };
  }

  @Get(':id')
  async status(@Param('id') id: string) {
    const { state, progress, result } = await this.queue.job(id).info().catch(said);
    return { status: STATUS[state], progress, result };
  }

  async onApplicationShutdown() {
    await this.queue.close();
  }
}

@Module({
  controllers: [Reports],
  providers: [{ provide: QUEUE, useFactory: () => new Queue() }],
})
class App {}

const app = await NestFactory.create(App, { logger: ['error', 'warn'], bodyParser: true });
const pages = dashboard({ token: process.env['ADMIN_TOKEN'] ?? '' });
app.use('/admin/minq', pages);
app.enableShutdownHooks(['SIGTERM']);
await app.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => void pages.close());
