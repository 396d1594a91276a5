# The laboratory in a container: JupyterLab with the Go kernel, as "make lab".
FROM golang:1.26-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends git make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home lab

USER 1000:1000
ENV HOME=/home/lab \
    GOPATH=/home/lab/go \
    GOTOOLCHAIN=local
WORKDIR /home/lab/hitchhiker

# The slow part first: it is built again only when a pinned version changes.
COPY --chown=1000:1000 jupyter jupyter
COPY --chown=1000:1000 tools tools
RUN jupyter/setup.sh tools

COPY --chown=1000:1000 . .
RUN jupyter/setup.sh lab warm

ENV HOST=0.0.0.0 BROWSER=0 PORT=8888
EXPOSE 8888
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["jupyter/healthcheck.sh"]
CMD ["jupyter/start.sh"]
