# Sluice on Deno. `docker build -t sluice . && docker run -p 8787:8787 -e SLUICE_TOKENS=my-token sluice`
FROM denoland/deno:2.9.6

# Keeps packages in a folder that every user may read.
ENV DENO_DIR=/deno-dir
# In a container the address of the interface is the container's own, and others may reach it.
ENV HOST=0.0.0.0
ENV PORT=8787

WORKDIR /app
COPY deno.json mod.ts ./
COPY wires ./wires
COPY providers ./providers
COPY gateway ./gateway

# Packages are downloaded now, also the drivers of stores, so that the container starts without a network.
RUN deno cache mod.ts gateway/stores/open_*.ts

# For SLUICE_STORE=sqlite:/data/sluice.db
RUN mkdir -p /data && chown deno:deno /data
VOLUME /data

USER deno
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["deno", "eval", "const r = await fetch(`http://127.0.0.1:${Deno.env.get('PORT')}/health`); Deno.exit(r.ok ? 0 : 1)"]
CMD ["deno", "run", "--cached-only", "--allow-net", "--allow-env", "--allow-read=/app,/data", "--allow-write=/data", "mod.ts"]
