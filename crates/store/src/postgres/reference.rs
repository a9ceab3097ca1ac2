//! Reading the tables of the reference service: `caller_ids` and `reservations`, as its versions have them.

mod columns;

use std::time::Duration;

use caller_id_core::StoreError;
use caller_id_core::store::BoxError;
use sqlx_core::query::query;
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::row::Row;
use sqlx_core::sql_str::AssertSqlSafe;
use sqlx_postgres::{PgConnection, PgRow, Postgres};
use tokio::time::timeout;

use super::error::Fault;
use super::place::Place;
use columns::Table;

/// A row of `caller_ids`, each value as PostgreSQL prints it; none where it is NULL or the table has no such column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceNumber {
    /// Which row it is, counted from 1, the shortest `caller_id` first.
    pub row: u64,
    /// The number.
    pub caller_id: Option<String>,
    /// Who carries its calls.
    pub carrier: Option<String>,
    /// Its first three digits, or what somebody chose.
    pub area_code: Option<String>,
    /// Most uses in a day; none when the column is NULL.
    pub daily_limit: ReferenceLimit,
    /// Most uses in an hour.
    pub hourly_limit: ReferenceLimit,
    /// A word like `active`.
    pub status: Option<String>,
    /// Whether it is in use: `true`, `false`, `1`, `0`.
    pub is_active: Option<String>,
    /// JSON.
    pub meta: Option<String>,
}

/// A limit as the table has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReferenceLimit {
    /// The table has no such column.
    #[default]
    NoColumn,
    /// It is NULL.
    Null,
    /// What PostgreSQL prints.
    Text(String),
}

/// A row of `reservations`, in the same manner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceReservation {
    /// Which row it is: its key, or where that is no number, counted from 1 in the order of time.
    pub row: u64,
    /// Its key.
    pub id: Option<String>,
    /// The number.
    pub caller_id: Option<String>,
    /// When it was made, in milliseconds since 1970: as the table has it, else so long before its end as was said.
    pub at_ms: Option<i64>,
    /// When it ran out, in milliseconds since 1970.
    pub reserved_until_ms: Option<i64>,
    /// Whom the dialer named.
    pub agent: Option<String>,
    /// The campaign that the dialer named.
    pub campaign: Option<String>,
    /// The called party, where the table knows.
    pub destination: Option<String>,
}

/// The reference's database at one moment: everything is read in one transaction that writes nothing and cannot.
pub struct ReferenceDatabase {
    place: Place,
    connection: PgConnection,
    wait: Duration,
    numbers: Table,
    reservations: Option<Table>,
}

/// All of it shows one moment, and nobody's work is held up.
const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Where a cursor was left before its end, it is opened anew.
const CLOSE: &str = "CLOSE ALL";
const NUMBERS: &str = "caller_ids";
const RESERVATIONS: &str = "reservations";

impl ReferenceDatabase {
    /// Connects to the database of a URL, as [`PostgresStore::open`](super::PostgresStore::open) does. Nothing is asked
    /// or read for longer than `wait`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no table `caller_ids` with a column `caller_id`; others when the server
    /// cannot be asked. They name the server, never the password.
    pub async fn open(url: &str, wait: Duration) -> Result<Self, StoreError> {
        let place = Place::parse(url)?;
        let opening = async {
            let mut connection = place.connect().await?;
            raw_sql(ONE_MOMENT).execute(&mut connection).await?;
            let numbers = Table::look(&mut connection, NUMBERS).await?;
            let reservations = Table::look(&mut connection, RESERVATIONS).await?;
            Ok::<_, Fault>((connection, numbers, reservations))
        };
        let (connection, numbers, reservations) = within(wait, opening)
            .await
            .map_err(|fault| fault.at(&place))?;
        let Some(numbers) = numbers.filter(|table| table.has("caller_id")) else {
            return Err(StoreError::Missing(format!(
                "PostgreSQL `{place}` has no table `{NUMBERS}` with a column `caller_id`: it is no database of the \
                 reference service"
            )));
        };
        let reservations =
            reservations.filter(|table| table.has("caller_id") && table.has("reserved_until"));
        Ok(Self {
            place,
            connection,
            wait,
            numbers,
            reservations,
        })
    }

    /// The columns that it has, each with its table, and that mean nothing to us.
    pub fn unknown_columns(&self) -> Vec<String> {
        let known = [columns::NUMBER_COLUMNS, columns::RESERVATION_COLUMNS];
        let tables = [Some(&self.numbers), self.reservations.as_ref()];
        let named = tables.into_iter().zip(known).filter_map(|(table, known)| {
            let table = table?;
            Some(table.others(known))
        });
        named.flatten().collect()
    }

    /// Whether it says which numbers are in use.
    pub fn tells_status(&self) -> bool {
        self.numbers.has("status") || self.numbers.has("is_active")
    }

    /// Whether it has reservations with a number and an end; an inventory alone is moved without history.
    pub fn has_reservations(&self) -> bool {
        self.reservations.is_some()
    }

    /// Begins to read the numbers, from the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_numbers(&mut self) -> Result<(), StoreError> {
        let select = self.numbers.select_numbers();
        self.declare(select).await
    }

    /// Begins to read the reservations, from the oldest. One whose beginning the table does not know lasted
    /// `reservation_ms` milliseconds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_reservations(&mut self, reservation_ms: u32) -> Result<(), StoreError> {
        match &self.reservations {
            Some(table) => {
                self.declare(table.select_reservations(reservation_ms))
                    .await
            }
            None => Ok(()),
        }
    }

    /// The next numbers, at most `most`; none at the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn numbers(&mut self, most: usize) -> Result<Vec<ReferenceNumber>, StoreError> {
        let rows = self.fetch(most).await?;
        let read: Result<_, Fault> = rows.iter().map(|row| self.numbers.number(row)).collect();
        read.map_err(|fault| fault.at(&self.place))
    }

    /// The next reservations, at most `most`, in the order of their times, those without a time last; none at the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservations(
        &mut self,
        most: usize,
    ) -> Result<Vec<ReferenceReservation>, StoreError> {
        if self.reservations.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.fetch(most).await?;
        let read: Result<_, Fault> = rows.iter().map(columns::reservation).collect();
        read.map_err(|fault| fault.at(&self.place))
    }

    async fn declare(&mut self, select: String) -> Result<(), StoreError> {
        let sql = format!("{CLOSE}; DECLARE reading NO SCROLL CURSOR FOR {select}");
        let declaring = async {
            raw_sql(AssertSqlSafe(sql))
                .execute(&mut self.connection)
                .await?;
            Ok(())
        };
        within(self.wait, declaring)
            .await
            .map_err(|fault| fault.at(&self.place))
    }

    async fn fetch(&mut self, most: usize) -> Result<Vec<PgRow>, StoreError> {
        let sql = format!("FETCH {most} FROM reading");
        let fetching = async {
            let rows = query::<Postgres>(AssertSqlSafe(sql))
                .persistent(false)
                .fetch_all(&mut self.connection)
                .await?;
            Ok(rows)
        };
        within(self.wait, fetching)
            .await
            .map_err(|fault| fault.at(&self.place))
    }
}

async fn within<T>(
    wait: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout(wait, work).await.unwrap_or_else(|_| {
        let text: BoxError = format!("no answer within {wait:?}").into();
        Err(StoreError::Busy(text).into())
    })
}

/// The text of a column; none where it is NULL.
fn text(row: &PgRow, place: usize) -> Result<Option<String>, Fault> {
    Ok(row.try_get(place)?)
}
