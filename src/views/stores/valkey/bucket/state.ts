/** Where a bucket stands, as `look` tells. */
export interface BucketState {
  /** The one that is served. */
  readonly generation: number | null;
  /** The epoch of the leader who fenced it last. */
  readonly leader: number | null;
  /** Of the served generation: the record's epoch, its position (LSN), whether it is in the middle of a step, its shape. */
  readonly epoch: string | null;
  readonly position: number | null;
  readonly torn: boolean;
  readonly shape: string | null;
}

export function bucketState(reply: unknown): BucketState {
  const [generation, leader, epoch, position, torn, shape] = reply as readonly (string | null)[];
  const number = (text: string | null | undefined) => (text == null ? null : Number(text));
  return {
    generation: number(generation),
    leader: number(leader),
    epoch: epoch ?? null,
    position: number(position),
    torn: torn != null,
    shape: shape ?? null,
  };
}
