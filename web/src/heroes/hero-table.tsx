import { client } from '../client.ts';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import type { Hero, Source } from './hero.ts';

interface HeroTableProps {
  /** Undefined while unknown. */
  readonly heroes: readonly Hero[] | undefined;
  readonly source: Source;
  readonly edited: number | undefined;
  readonly onEdit: (hero: Hero) => void;
  readonly onFound: (hero: Hero) => void;
  readonly first: boolean;
  readonly last: boolean;
  readonly onPage: (page: 'first' | 'next') => void;
}

/** The table, page by page, and a search by id. */
export function HeroTable(props: HeroTableProps) {
  const { heroes, source, edited, onEdit, onFound, first, last, onPage } = props;
  const { error, busy, submit } = useSubmission(async (data) => {
    const options = { params: { id: String(data.get('id')) }, query: { cache: source === 'cache' } };
    onFound((await client.send<Hero>('GET /heroes/{id}', options)).body);
  });
  return (
    <section className="panel heroes-table" aria-labelledby="browse">
      <header className="panel-head">
        <h2 id="browse">The table</h2>
        <form className="search" onSubmit={submit}>
          <Field name="id" label="Hero's id" inputMode="numeric" pattern="-?[0-9]+" required autoComplete="off" />
          <button type="submit" className="button" disabled={busy}>
            Find
          </button>
        </form>
      </header>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      {heroes?.length === 0 ? (
        <p className="soft">No heroes yet. Add the first, or import a file.</p>
      ) : (
        <div className="table-box">
          <table aria-busy={heroes === undefined}>
            <thead>
              <tr>
                <th scope="col">Id</th>
                <th scope="col">Name</th>
                <th scope="col">Hero</th>
                <th scope="col">Power</th>
                <th scope="col">Colour</th>
                <th scope="col" className="number">
                  XP
                </th>
                <th scope="col">
                  <span className="visually-hidden">Edit</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {heroes?.map((hero) => (
                <tr key={hero.id} className={hero.id === edited ? 'own' : undefined}>
                  <td className="soft">{hero.id}</td>
                  <th scope="row">{hero.name}</th>
                  <td>{hero.hero}</td>
                  <td>{hero.power}</td>
                  <td>{hero.color}</td>
                  <td className="number">{hero.xp.toLocaleString('en')}</td>
                  <td>
                    <button
                      type="button"
                      className="link-button"
                      aria-label={`Edit hero ${hero.id}`}
                      onClick={() => onEdit(hero)}
                    >
                      Edit
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <footer className="pages">
        <button type="button" className="button" disabled={first} onClick={() => onPage('first')}>
          To the start
        </button>
        <button type="button" className="button" disabled={last} onClick={() => onPage('next')}>
          Next page
        </button>
      </footer>
    </section>
  );
}
