import { fastify } from 'fastify';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { maskErrors } from './mask-errors.ts';

it('responds to an internal error only with the id of its log line', async () => {
  const lines: string[] = [];
  const app = fastify();
  maskErrors(app, pino({}, { write: (line) => void lines.push(line) }));
  app.get('/broken', () => {
    throw new Error('the password is 1234');
  });
  app.post('/read', () => 'read');
  const broken = await app.inject('/broken');
  expect(broken.statusCode).toBe(500);
  expect(broken.body).not.toContain('1234');
  const [{ message, extensions }] = broken.json().errors;
  expect([message, extensions.code]).toEqual(['Internal error', 'INTERNAL_SERVER_ERROR']);
  expect(JSON.parse(String(lines[0]))).toMatchObject({
    errorId: extensions.errorId,
    err: { message: 'the password is 1234' },
    where: 'GET /broken',
  });

  const headers = { 'content-type': 'application/json' };
  const mistaken = await app.inject({ method: 'POST', url: '/read', headers, payload: '{' });
  expect(mistaken.statusCode).toBe(400);
  expect(mistaken.json().errors[0].extensions).toEqual({ code: 'BAD_REQUEST' });
  expect(lines).toHaveLength(1);
});
