import { type CollectedTracing, startCollectedTracing } from '@gudang/runtime/testing';
import { traceId } from '@gudang/runtime/tracing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { traceSending } from './trace-sending.ts';

const CAUSE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const row = {
  id: '1',
  topic: 'order_created',
  key: null,
  value: null,
  version: null,
  headers: null,
  created_at: new Date(),
};

it('traceSending returns the rows unchanged while tracing is off', () => {
  const rows = [{ ...row, traceparent: CAUSE }];
  expect(traceSending(rows).rows).toBe(rows);
});

describe('traceSending with tracing on', () => {
  let tracing: CollectedTracing;
  beforeEach(async () => {
    tracing = await startCollectedTracing();
  });
  afterEach(() => tracing.stop());

  it('replaces the traceparent of each traced row with that of its sending span and leaves untraced rows unchanged', () => {
    const { rows, end } = traceSending([
      { ...row, traceparent: CAUSE },
      { ...row, traceparent: null },
    ]);
    expect(traceId(rows[0]?.traceparent)).toBe(traceId(CAUSE));
    expect(rows[0]?.traceparent).not.toBe(CAUSE);
    expect(rows[1]?.traceparent).toBeNull();
    end();
  });
});
