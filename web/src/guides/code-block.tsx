import type { CodePart } from '../../../scripts/guides/render.ts';
import { CopyButton } from '../copy/copy-button.tsx';

/** A block of code, which file it is, and a button that copies it. */
export function CodeBlock({ part: { code, copied, file, language } }: { part: CodePart }) {
  return (
    <figure className="code-block">
      {file && (
        <figcaption>
          <code>{file}</code>
        </figcaption>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too */}
      <pre tabIndex={0}>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: written by the build, from the project's own documents */}
        <code dangerouslySetInnerHTML={{ __html: code }} />
      </pre>
      {/* What is in no language is to be looked at. */}
      {language && <CopyButton text={copied} label="Copy the code" />}
    </figure>
  );
}
