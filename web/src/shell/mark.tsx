/** Three steps, each following the one before. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M7 22.5h6M13 16h6M19 9.5h6" />
    </svg>
  );
}
