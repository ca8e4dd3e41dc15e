"""What the tests say to the server of PostgreSQL itself."""

from itertools import count

import sqlalchemy as sa

NUMBERS = count(1)  # of databases, so that each has a name of its own


def run(server, statement):
    """Run a statement outside of a transaction, as the owner of the server."""
    engine = sa.create_engine(f"{server}/postgres".replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
