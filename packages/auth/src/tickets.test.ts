import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTickets, TICKET_S } from './tickets.ts';
import type { Principal } from './verify-token.ts';

const SITI: Principal = {
  identity: { subject: 'Siti', scopes: ['order:write'] },
  expiresAt: Date.now() + 1_000_000,
};
const logged: string[] = [];
const log = {
  info: (line: unknown) => void logged.push(String(line)),
  warn: (line: unknown) => void logged.push(String(line)),
};
const tickets = createTickets(['a secret of some length'], log);

afterEach(() => void vi.useRealTimers());

describe('createTickets', () => {
  it('redeems a ticket in every process with the same secret', async () => {
    const ticket = await tickets.issue(SITI);
    expect(await createTickets(['a secret of some length'], log).redeem(ticket)).toEqual(SITI);
    expect(Buffer.from(ticket.split('.')[3] ?? '', 'base64url').toString()).not.toContain('Siti');
  });

  it('redeems tickets of the old and the new secret during a rotation', async () => {
    const changing = createTickets(['the next secret, as long', 'a secret of some length'], log);
    expect(await changing.redeem(await tickets.issue(SITI))).toEqual(SITI);
    const fresh = await changing.issue(SITI);
    expect(await changing.redeem(fresh)).toEqual(SITI);
    await expect(tickets.redeem(fresh)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('rejects an old ticket', async () => {
    const ticket = await tickets.issue(SITI);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (TICKET_S + 1) * 1000 });
    await expect(tickets.redeem(ticket)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('logs a rejected ticket once in 30 s, without the ticket', async () => {
    logged.length = 0;
    const own = createTickets(['a secret of some length'], log);
    for (const ticket of ['forged', 'forged too']) {
      await expect(own.redeem(ticket)).rejects.toThrow('the ticket is invalid');
    }
    expect(logged).toEqual([
      'Refused a request: The token is invalid: the ticket is invalid or older than 30 s; get another',
    ]);
  });

  it.each(['', 'nonsense', 'a.b.c.d.e', 'eyJhbGciOiJub25lIn0.e30.'])(
    'rejects %j',
    async (ticket) => {
      await expect(tickets.redeem(ticket)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );
});
