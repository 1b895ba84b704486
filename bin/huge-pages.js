// Views of millions of rows are gigabytes of small reads all over them. With pages of 4 KB the processor looks most of
// those pages up first, in a virtual machine twice over, which costs more than the read itself; with pages of 2 MB hardly any.
// Plain JavaScript on purpose, as node24.js.

/**
 * What makes glibc ask for huge pages for all that malloc gives out, typed arrays among it, where the kernel gives them to who
 * asks (`/sys/kernel/mm/transparent_hugepage/enabled` is `madvise` or `always`; elsewhere it does nothing). Read when a process
 * starts, never later. Whoever has set GLIBC_TUNABLES keeps what was set.
 */
export function hugePages(env = process.env) {
  return process.platform === 'linux' && env.GLIBC_TUNABLES === undefined
    ? { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }
    : {};
}

/** Becomes the same program with more in its environment: the same process, begun anew. Returns where it cannot. */
export function restartWith(env) {
  // A channel to the parent would not outlive it.
  if (Object.keys(env).length === 0 || process.channel || !process.execve) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...process.env, ...env });
}
