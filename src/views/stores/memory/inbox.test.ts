import { INBOX_CONTRACT, INBOX_SHAPE } from '../../../testing/inbox-rows.ts';
import { viewContract } from '../../contract.ts';
import type { InboxQuery } from '../../inbox/queries.ts';
import { MemoryInbox } from './inbox.ts';

for (const [name, fanout] of [
  ['inbox in memory', undefined],
  ['inbox in memory, small nodes', { leafCapacity: 4, innerCapacity: 4 }],
] as const)
  viewContract<InboxQuery>({
    ...INBOX_CONTRACT,
    name,
    definition: { build: () => new MemoryInbox({ shape: INBOX_SHAPE, ...(fanout && { fanout }) }) },
  });
