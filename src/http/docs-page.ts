/** The page at `/docs`: the project's own around Swagger UI's parts, without its bar, its logo and its address box. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API · Lockstep</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/docs/static/swagger-ui.css" />
    <link rel="stylesheet" href="/docs/static/theme/docs.css" />
    <script src="/docs/static/theme/theme.js"></script>
  </head>
  <body>
    <header class="site-header">
      <a href="/">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M7 22.5h6M13 16h6M19 9.5h6" />
        </svg>
        Lockstep
      </a>
      <nav aria-label="Main">
        <a href="/console/">Console</a>
        <a href="/guides/">Guides</a>
        <a href="/docs" aria-current="page">API</a>
      </nav>
    </header>
    <div id="api"></div>
    <script src="/docs/static/swagger-ui-bundle.js"></script>
    <script src="/docs/static/theme/docs.js"></script>
  </body>
</html>
`;

/** Before anything is drawn: the theme that was chosen on the other pages, otherwise the system's. */
export const THEME_SCRIPT = `
const system = matchMedia('(prefers-color-scheme: dark)');
function wear() {
  let chosen;
  try {
    chosen = localStorage.getItem('lockstep-theme');
  } catch {}
  document.documentElement.classList.toggle('dark-mode', chosen ? chosen === 'dark' : system.matches);
}
system.addEventListener('change', wear);
wear();
`;

export const DOCS_SCRIPT = `
SwaggerUIBundle({
  url: '/docs/json',
  dom_id: '#api',
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  syntaxHighlight: false,
  validatorUrl: null,
});
`;

/** The colours of the other pages (web/src/design.css), on Swagger UI's parts. */
export const DOCS_STYLE = `
:root {
  color-scheme: light;
  --paper: light-dark(oklch(0.982 0.003 95), oklch(0.175 0.008 250));
  --surface: light-dark(oklch(1 0 0), oklch(0.212 0.01 250));
  --line: light-dark(oklch(0.905 0.005 95), oklch(0.305 0.012 250));
  --ink: light-dark(oklch(0.235 0.012 250), oklch(0.945 0.005 95));
  --ink-soft: light-dark(oklch(0.47 0.012 250), oklch(0.735 0.01 250));
  --accent: light-dark(oklch(0.47 0.105 163), oklch(0.8 0.135 163));
  --on-accent: light-dark(oklch(1 0 0), oklch(0.2 0.03 163));
  --font: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
:root.dark-mode { color-scheme: dark; background: var(--paper); }
body { margin: 0; background: var(--paper); color: var(--ink); font-family: var(--font); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

.site-header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0 1.5rem;
  min-height: 3.75rem;
  max-width: 75rem;
  margin: 0 auto;
  padding: 0 1.5rem;
}
.site-header a { padding-block: 0.5rem; color: var(--ink-soft); font-weight: 540; text-decoration: none; }
.site-header > a {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  color: var(--ink);
  font-size: 1.1875rem;
  font-weight: 680;
  letter-spacing: -0.02em;
}
.site-header nav { display: flex; gap: 1.5rem; }
.site-header :is([aria-current], a:hover) { color: var(--ink); }
.site-header [aria-current] { box-shadow: inset 0 -2px var(--accent); }
.site-header svg { width: 1.625rem; }
.site-header rect { fill: var(--accent); }
.site-header path { fill: none; stroke: var(--on-accent); stroke-width: 3.75; stroke-linecap: round; }

#api .swagger-ui { background: none; color: var(--ink); }
#api .wrapper { max-width: 75rem; padding: 0 1.5rem; }
#api :is(.swagger-ui, .info .title, .opblock-tag, .opblock-description-wrapper p, .btn, label, table, select, h4, h5, p) {
  font-family: var(--font);
}
#api .info { margin: 1.5rem 0; }
#api .scheme-container { margin: 0; padding: 0 0 1.5rem; background: none; box-shadow: none; }
#api :is(.info .title, .opblock-tag, .opblock-summary-description) { color: var(--ink); }
#api .opblock-tag { border-color: var(--line); font-size: 1.1875rem; }
#api .opblock-tag small { color: var(--ink-soft); }
#api .opblock { background: var(--surface); border-color: var(--line); box-shadow: none; }
#api .opblock .opblock-summary { border-color: var(--line); }
#api .opblock .opblock-section-header { background: var(--paper); box-shadow: none; }
#api :is(a.link, .info a) { color: var(--accent); }
#api .btn.authorize { border-color: var(--accent); color: var(--accent); }
#api .btn.authorize svg { fill: var(--accent); }
#api :is(.markdown, .renderedMarkdown) code { background: var(--line); color: var(--ink); }
#api .info .title small { background: var(--ink-soft); }
#api .info .title small pre { color: var(--paper); }
#api :is(.parameter__in, .parameter__type, .prop-format, .response-control-media-type__accept-message, .tab li) {
  color: var(--ink-soft);
}
/* White on Swagger UI's own is not legible. */
:root:not(.dark-mode) #api .opblock .opblock-summary-method { background: oklch(0.5 0.14 255); }
:root:not(.dark-mode) #api .opblock-post .opblock-summary-method { background: oklch(0.47 0.105 163); }
:root:not(.dark-mode) #api :is(.opblock-put, .opblock-patch) .opblock-summary-method { background: oklch(0.5 0.12 60); }
:root:not(.dark-mode) #api .opblock-delete .opblock-summary-method { background: oklch(0.5 0.17 27); }
@media (max-width: 40rem) {
  .site-header, #api .wrapper { padding-inline: 1rem; }
}
`;
