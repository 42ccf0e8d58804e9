import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type ConsumerGroup, keepMemberId } from './group-member.ts';

/**
 * Creates a stand-in for kafkajs's class, which would need a cluster. Each test creates its own
 * class, because a patch is permanent.
 */
function createGroups(leave: () => Promise<void> = async () => {}) {
  class Group implements ConsumerGroup {
    readonly cluster: object;
    memberId: string | null = null;
    constructor(cluster: object) {
      this.cluster = cluster;
    }
    async connect(): Promise<void> {}
    async leave(): Promise<void> {
      await leave();
      this.memberId = null;
    }
  }
  return Group;
}
const outage = async (): Promise<never> => {
  throw new Error('the broker is unavailable');
};

describe('keepMemberId', () => {
  it('is necessary: without the patch, a new group has no member id', async () => {
    const Group = createGroups(outage);
    const cluster = {};
    const first = new Group(cluster);
    first.memberId = 'us';
    await first.leave().catch(() => {});
    const second = new Group(cluster);
    await second.connect();
    expect(second.memberId).toBeNull();
  });

  it('keeps the id of a member that could not leave its group, for all later starts', async () => {
    const Group = createGroups(outage);
    keepMemberId(Group.prototype);
    keepMemberId(Group.prototype);
    const cluster = {};
    const first = new Group(cluster);
    await first.connect();
    first.memberId = 'us';
    await expect(first.leave()).rejects.toThrow('the broker is unavailable');
    for (const _ of [2, 3]) {
      const next = new Group(cluster);
      await next.connect();
      expect(next.memberId).toBe('us');
    }
    const otherCluster = new Group({});
    await otherCluster.connect();
    expect(otherCluster.memberId).toBeNull();
  });

  it('forgets the id of a member that has left', async () => {
    const Group = createGroups();
    keepMemberId(Group.prototype);
    const cluster = {};
    const first = new Group(cluster);
    first.memberId = 'us';
    await first.leave();
    const second = new Group(cluster);
    await second.connect();
    expect(second.memberId).toBeNull();
  });

  it("finds the methods that it patches in kafkajs's class", () => {
    const require = createRequire(import.meta.url);
    const { prototype } = require('kafkajs/src/consumer/consumerGroup');
    expect([typeof prototype.connect, typeof prototype.leave]).toEqual(['function', 'function']);
    expect(String(prototype.leave)).toContain('this.memberId = null');
  });
});
