//! PostgreSQL. Its answers are read with `copy … to stdout`, which gives every type in the text that
//! its manual defines, in the order of the query, and row by row however many there are.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ::postgres::config::SslMode;
use ::postgres::error::SqlState;
use ::postgres::types::{Kind as TypeKind, Type};
use ::postgres::{CancelToken, Client, Config, NoTls};
use base::{Code, Error, Progress, Result};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::arrive::Arrival;
use crate::field::{Column, Kind};
use crate::{Answer, Server, Tls};

const CONNECT: Duration = Duration::from_secs(15);
/// How often it is looked whether somebody cancelled.
const TICK: Duration = Duration::from_millis(100);
const PIECE_BYTES: usize = 256 << 10;

/// What the thread that speaks with the server says.
enum Said {
    /// It is connected; this stops a query.
    Connected(CancelToken),
    /// These are the columns.
    Columns(Vec<Column>),
    /// The next bytes of the rows.
    Piece(Vec<u8>),
    /// The version of the server.
    Version(String),
}

type Speaker = SyncSender<Result<Said>>;

/// Says what the server is.
///
/// # Errors
/// As [`crate::test`].
pub(crate) fn version(server: &Server, password: Option<&str>, progress: &Progress) -> Result<String> {
    let talk = Talk::begin(server, password, |client, say| {
        let row = client.query_one("select version()", &[])?;
        say.send(Ok(Said::Version(row.get(0)))).ok();
        Ok(())
    });
    let mut version = String::new();
    talk.listen(progress, |said| {
        if let Said::Version(text) = said {
            version = text;
        }
        Ok(())
    })?;
    Ok(version)
}

/// Asks and writes the answer.
///
/// # Errors
/// As [`crate::query`].
pub(crate) fn query(
    server: &Server,
    password: Option<&str>,
    query: &str,
    (out, most_bytes): (&Path, u64),
    progress: &Progress,
) -> Result<Answer> {
    let query = query.trim().trim_end_matches(';').to_owned();
    let talk = Talk::begin(server, password, move |client, say| ask(client, &query, say));
    let mut arrival: Option<Arrival<'_>> = None;
    progress.step("asking", 0, None)?;
    talk.listen(progress, |said| {
        match said {
            Said::Columns(columns) if columns.is_empty() => {
                return Err(Error::invalid("the query has no answer").hint("write a `select`"));
            }
            Said::Columns(columns) => arrival = Some(Arrival::new(columns, out, most_bytes)?),
            Said::Piece(piece) => {
                if let Some(arrival) = &mut arrival {
                    arrival.take(&piece)?;
                    progress.step("reading rows", arrival.rows, None)?;
                }
            }
            Said::Connected(_) | Said::Version(_) => (),
        }
        Ok(())
    })?;
    arrival.ok_or_else(|| Error::internal("a query ended without an answer"))?.finish(progress)
}

/// The other side of [`query`].
fn ask(client: &mut Client, query: &str, say: &Speaker) -> Result<(), ::postgres::Error> {
    let mut transaction = client.build_transaction().read_only(true).start()?;
    transaction.batch_execute(
        "set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres';
         set local timezone = 'UTC'; set local bytea_output = 'hex'; set local extra_float_digits = 1",
    )?;
    let statement = transaction.prepare(query)?;
    let columns = statement.columns().iter().map(|column| Column::new(column.name(), kind(column.type_())));
    // Whoever listened is gone after a cancel, here and below.
    if say.send(Ok(Said::Columns(columns.collect()))).is_err() {
        return Ok(());
    }
    // The line end closes a comment at the end of the query.
    let mut reader =
        transaction.copy_out(&format!("copy ({query}\n) to stdout (format text, encoding 'UTF8')"))?;
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = reader.read(&mut piece);
        match read {
            Ok(0) => return Ok(()),
            Ok(got) => {
                piece.truncate(got);
                if say.send(Ok(Said::Piece(piece))).is_err() {
                    return Ok(());
                }
            }
            Err(error) => {
                let inner = error.into_inner().and_then(|inner| inner.downcast::<::postgres::Error>().ok());
                let Some(inner) = inner else {
                    say.send(Err(broken(&"it ended before its end"))).ok();
                    return Ok(());
                };
                return Err(*inner);
            }
        }
    }
}

/// A thread that speaks with a server, so that one that says nothing keeps nobody from cancelling.
struct Talk {
    said: Receiver<Result<Said>>,
    tls: Option<MakeRustlsConnect>,
}

impl Talk {
    fn begin(
        server: &Server,
        password: Option<&str>,
        work: impl FnOnce(&mut Client, &Speaker) -> Result<(), ::postgres::Error> + Send + 'static,
    ) -> Self {
        let (say, said) = sync_channel(4);
        let (server, config) = (server.clone(), config(server, password));
        let tls = match server.tls {
            Tls::Off => None,
            Tls::Verified => match verified() {
                Ok(tls) => Some(tls),
                Err(error) => {
                    say.send(Err(error)).ok();
                    return Self { said, tls: None };
                }
            },
        };
        let connector = tls.clone();
        std::thread::spawn(move || {
            let connected = match connector {
                Some(tls) => config.connect(tls),
                None => config.connect(NoTls),
            };
            let done = connected.and_then(|mut client| {
                say.send(Ok(Said::Connected(client.cancel_token()))).ok();
                work(&mut client, &say)
            });
            if let Err(error) = done {
                say.send(Err(explain(&server, &error))).ok();
            }
        });
        Self { said, tls }
    }

    /// Hears everything; on a cancel or an error of `hear` the server is told to stop.
    fn listen(self, progress: &Progress, mut hear: impl FnMut(Said) -> Result<()>) -> Result<()> {
        let mut stop: Option<CancelToken> = None;
        let ended = loop {
            if progress.cancel().is_cancelled() {
                break Err(Error::cancelled());
            }
            let heard = match self.said.recv_timeout(TICK) {
                Ok(Ok(Said::Connected(token))) => {
                    stop = Some(token);
                    Ok(())
                }
                Ok(Ok(said)) => hear(said),
                // The server has stopped by itself.
                Ok(Err(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if let Err(error) = heard {
                break Err(error);
            }
        };
        if let Some(token) = stop {
            let tls = self.tls.clone();
            // Nobody waits for it: a server that is gone has stopped as well.
            std::thread::spawn(move || match tls {
                Some(tls) => token.cancel_query(tls),
                None => token.cancel_query(NoTls),
            });
        }
        ended
    }
}

fn config(server: &Server, password: Option<&str>) -> Config {
    let mut config = Config::new();
    config
        .host(&server.host)
        .port(server.port)
        .dbname(&server.database)
        .user(&server.user)
        .application_name("fettle")
        .connect_timeout(CONNECT)
        .keepalives_idle(Duration::from_secs(30))
        .ssl_mode(match server.tls {
            Tls::Verified => SslMode::Require,
            Tls::Off => SslMode::Disable,
        });
    if let Some(password) = password {
        config.password(password);
    }
    config
}

/// Encryption by the authorities that the system trusts.
fn verified() -> Result<MakeRustlsConnect> {
    let failed = |e: rustls::Error| Error::internal("cannot set up encryption").because(e);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(failed)?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn kind(of: &Type) -> Kind {
    if let TypeKind::Domain(base) = of.kind() {
        return kind(base);
    }
    match *of {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Kind::Integer,
        Type::FLOAT4 => Kind::Real,
        Type::FLOAT8 => Kind::Double,
        Type::NUMERIC => Kind::Numeric,
        Type::BOOL => Kind::Boolean,
        Type::DATE => Kind::Date,
        Type::TIMESTAMP => Kind::Moment,
        Type::TIMESTAMPTZ => Kind::Instant,
        Type::BYTEA => Kind::Bytes,
        _ => Kind::Text,
    }
}

fn broken(why: &dyn std::fmt::Display) -> Error {
    Error::new(Code::Unavailable, "the connection to the database broke").because(why).hint("try again")
}

/// What the driver says, in our words.
fn explain(server: &Server, error: &::postgres::Error) -> Error {
    let place = format!("{}:{}", server.host, server.port);
    let Some(said) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        if error.is_closed() {
            return broken(&cause);
        }
        let hint = match server.tls {
            Tls::Verified => {
                "check host and port, and that this machine trusts the certificate of the server; \
                 `--tls off` connects without encryption"
            }
            Tls::Off => "check host and port, and that the server listens there",
        };
        return Error::new(Code::Unavailable, format!("cannot connect to the database server `{place}`"))
            .because(cause)
            .hint(hint);
    };
    let code = said.code();
    let user = &server.user;
    let refused = |code, message: String| Error::new(code, message).because(said.message());
    if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) {
        return refused(Code::Forbidden, format!("the database server `{place}` does not let `{user}` in"))
            .hint("check the user, and set the password again");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return refused(Code::NotFound, format!("`{place}` has no database `{}`", server.database))
            .hint("check its name");
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return refused(Code::InvalidInput, "the query would change something".to_owned())
            .hint("write one that only reads");
    }
    let hint = said.hint().unwrap_or("check the query against the database");
    let error = refused(Code::InvalidInput, "the database refuses the query".to_owned()).hint(hint);
    match said.detail() {
        Some(detail) => error.because(detail),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use ::postgres::config::Host;

    use super::*;

    #[test]
    fn a_path_is_the_folder_of_a_socket_and_a_name_is_a_host() {
        let server = |host: &str| Server {
            host: host.to_owned(),
            port: 5433,
            database: "d".to_owned(),
            user: "u".to_owned(),
            tls: Tls::Off,
        };
        assert_eq!(config(&server("db.example.org"), None).get_hosts(), [Host::Tcp("db.example.org".into())]);
        #[cfg(unix)]
        assert_eq!(
            config(&server("/run/postgres"), Some("x")).get_hosts(),
            [Host::Unix("/run/postgres".into())]
        );
    }
}
