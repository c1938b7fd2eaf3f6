# syncd alone: a static binary. The warehouse is a ClickHouse server beside it
# (docker-compose.yml); the embedded engine is not in this image.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/syncd ./cmd/syncd

FROM debian:bookworm-slim
# Networks are called over HTTPS, schedules run in the accounts' time zones; curl is
# for the health check.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/syncd --create-home syncd
COPY --from=build /out/syncd /usr/local/bin/syncd
USER syncd
WORKDIR /var/lib/syncd
VOLUME /var/lib/syncd
EXPOSE 8080
ENV SYNCD_CONFIG=/etc/syncd/config.yaml
ENTRYPOINT ["syncd"]
CMD ["run"]
