import { expect, it } from 'vitest';
import { fileSystemOf } from './volatile-folder.ts';

const MOUNTS = `22 1 254:0 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a,upperdir=/b
23 22 0:20 / /tmp rw,nosuid - tmpfs tmpfs rw
24 22 254:1 /volumes/a/_data /var/lib/gudang rw,relatime master:1 - ext4 /dev/vda rw
25 22 254:1 /volumes/b/_data /mnt/with\\040space rw - xfs /dev/vdb rw
26 23 0:20 / /tmp/twice rw - ext4 /dev/vdc rw
27 26 0:21 / /tmp/twice rw - tmpfs tmpfs rw
`;

it.each([
  ['/app/.gudang/supergraphs', 'overlay'],
  ['/', 'overlay'],
  ['/tmp', 'tmpfs'],
  ['/tmpfolder', 'overlay'],
  ['/var/lib/gudang', 'ext4'],
  ['/var/lib/gudang/supergraphs', 'ext4'],
  ['/var/lib/gudang-other', 'overlay'],
  ['/mnt/with space/copies', 'xfs'],
  ['/tmp/twice/copies', 'tmpfs'],
])('the file system of %s is %s', (path, type) => {
  expect(fileSystemOf(path, MOUNTS)).toBe(type);
});

it('no file system is found in a text that is not mountinfo', () => {
  expect(fileSystemOf('/app', '')).toBeUndefined();
  expect(fileSystemOf('/app', 'nonsense\n\n - \n')).toBeUndefined();
});
