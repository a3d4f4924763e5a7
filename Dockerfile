FROM rust:1.92-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential python3-pip
WORKDIR /source
COPY . .
# Version and commit, which only git knows: --build-arg BUILD="$(.package/version)". Without them it is the release in Cargo.toml.
ARG BUILD
RUN make tarball
RUN mkdir /hotcut && tar -xzf target/dist/hotcut-*.tar.gz --strip-components=1 -C /hotcut

FROM debian:bookworm-slim
COPY --from=build /hotcut /usr/local
RUN install -D -m 644 /usr/local/share/hotcut/minimal.toml /etc/hotcut/hotcut.toml
RUN useradd --system --uid 990 --home-dir /var/lib/hotcut --shell /usr/sbin/nologin hotcut
# With any --user a new volume, which gets this mode, can be used. What one user has made there no other can remove.
RUN install -d -o hotcut -g hotcut -m 1777 /var/lib/hotcut
USER hotcut
VOLUME /var/lib/hotcut
# The first model is loaded within this time on any machine that is of use.
HEALTHCHECK --start-period=1m CMD ["hotcut", "status", "--check"]
ENTRYPOINT ["hotcut"]
CMD ["run"]
