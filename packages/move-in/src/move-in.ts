import { writeFile } from 'node:fs/promises';
import type { Kafka } from 'kafkajs';
import { type MoveInCommand, MoveInError } from './cli.ts';
import { readLegacyOrders, readLegacyStocks } from './legacy/legacy-rows.ts';
import { assertStopped, readLegacyTopic } from './legacy/legacy-topic.ts';
import { comparePlan, type Remaining } from './plan/compare.ts';
import { type Plan, planMove } from './plan/plan.ts';
import { renderFirst, renderLegacy, renderProblems, renderRemaining } from './render.ts';
import { openTargets, readPresent, type TargetDatabases } from './target/target-databases.ts';
import { insertOrders } from './target/write-orders.ts';
import { insertDecisions, insertStocks, moveAgain } from './target/write-stocks.ts';

/** The surroundings of a move. */
export interface MoveInContext {
  /** A client of the legacy system's Kafka. */
  readonly client: Kafka;
  /** Consumer group of the new stock service. */
  readonly newGroup: string;
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => Promise<void> | void;
}

/**
 * Moves the legacy system's stocks and orders into the new databases. It may be repeated: rows that are
 * there already are kept.
 * @throws {MoveInError} if a service is running, if the legacy system contradicts what is already there,
 *   or if orders without a record need a choice. Nothing has been written then.
 */
export async function moveIn(command: MoveInCommand, context: MoveInContext): Promise<void> {
  const { client, env, print } = context;
  const targets = await openTargets(env);
  try {
    const isRehearsal = command.dryRun;
    if (!isRehearsal) await assertNewServiceStopped(context);
    const topic = await readLegacyTopic(client, { ...command, isRehearsal });
    const stocks = await readLegacyStocks(command.stockDb);
    const orders = await readLegacyOrders(command.orderDb);
    await print(renderLegacy({ stocks, orders, topic }, command.group));
    const plan = planMove({ stocks, orders, topic }, command.unsent, new Date());
    await reportProblems(command, plan, print);
    const remaining = comparePlan(plan, await readPresent(targets, plan));
    assertNoContradiction(remaining);
    await print(renderRemaining(plan, remaining));
    if (command.dryRun) {
      await print('This was a dry run: nothing is changed.');
      return;
    }
    assertUnsentChosen(command, plan);
    await writeRemaining(targets, remaining).catch((error: Error) => {
      throw new MoveInError(
        `The move was interrupted (${error.message}). Run it again: it writes what is missing`,
      );
    });
    await print('The move is complete. The new services can start.');
  } finally {
    await targets.close();
  }
}

async function assertNewServiceStopped({ client, newGroup }: MoveInContext): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  try {
    await assertStopped(admin, newGroup, 'the new stock service');
  } finally {
    await admin.disconnect();
  }
}

async function reportProblems(
  { report }: MoveInCommand,
  { problems }: Plan,
  print: MoveInContext['print'],
): Promise<void> {
  if (problems.length > 0) await print(renderProblems(problems));
  if (report === undefined) return;
  const lines = problems.map((problem) => `${JSON.stringify(problem)}\n`);
  await writeFile(report, lines.join('')).catch((error: Error) => {
    throw new MoveInError(`--report: ${error.message}`);
  });
}

function assertNoContradiction({ contradictions }: Remaining): void {
  if (contradictions.length === 0) return;
  throw new MoveInError(
    `The legacy system contradicts the new databases (${contradictions.length}):\n` +
      `${renderFirst(contradictions)}\nNothing is changed. Move into empty databases, or decide ` +
      'which system is right',
  );
}

function assertUnsentChosen({ unsent }: MoveInCommand, { unsentCount }: Plan): void {
  if (unsentCount === 0 || unsent !== undefined) return;
  throw new MoveInError(
    `${unsentCount} orders have no record in the topic. Choose --unsent pending if they were never ` +
      'sent, or --unsent confirmed if their records have expired. Nothing is changed',
  );
}

/**
 * Writes decisions first. If the move is interrupted and the new stock service is started nevertheless, the
 * service then subtracts no order again that the legacy one has subtracted.
 */
async function writeRemaining(targets: TargetDatabases, remaining: Remaining): Promise<void> {
  const { stocks, movedAgain, decisions, orders } = remaining;
  await insertDecisions(targets.stock, decisions, stocks);
  await insertStocks(targets.stock, stocks);
  await moveAgain(targets.stock, movedAgain);
  await insertOrders(targets.order, orders);
}
