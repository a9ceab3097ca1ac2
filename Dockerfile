# caller-id in a container: the binary alone, on a small Debian, as a user of its own. docs/docker.md tells how it is used.
# Images are pinned by version: whoever wants the very bytes adds their digest (docs/docker.md).

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .
# What was fetched and built stays in caches of the builder: a change of a line builds a minute, not ten.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package caller-id \
    && install -D target/release/caller-id /out/caller-id

FROM debian:12.11-slim
# Everything it needs is in the binary: SQLite, TLS and its public certificates, time zones. The folders are its own, so that
# volumes which are put on them are, too.
RUN groupadd --system --gid 10001 caller-id \
    && useradd --system --uid 10001 --gid caller-id --home-dir /var/lib/caller-id --no-create-home --shell /usr/sbin/nologin caller-id \
    && install -d -o caller-id -g caller-id -m 0750 /var/lib/caller-id /var/log/caller-id
COPY --from=build /out/caller-id /usr/local/bin/caller-id
ENV API_HOST=0.0.0.0 \
    API_PORT=8000 \
    AGI_LISTEN=0.0.0.0:4573 \
    DATA_DIR=/var/lib/caller-id
WORKDIR /var/lib/caller-id
USER 10001:10001
# The only places that are written to: the root file system may be read-only.
VOLUME ["/var/lib/caller-id", "/var/log/caller-id"]
EXPOSE 8000 4573
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["caller-id", "health", "--local"]
ENTRYPOINT ["caller-id"]
CMD ["serve"]
