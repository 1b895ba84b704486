/** While a list is on its way: as high as what comes, so that little jumps. */
export function Waiting() {
  return (
    <div className="waiting" role="status">
      <span className="visually-hidden">Loading</span>
      {[0, 1, 2].map((each) => (
        <div key={each} className="card" aria-hidden="true" />
      ))}
    </div>
  );
}

export function Problem({ text, onRetry }: { text: string; onRetry?: () => void }) {
  return (
    <div role="alert" className="form-error problem">
      <span>{text}</span>
      {onRetry && (
        <button type="button" className="link-button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
