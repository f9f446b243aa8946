#!/bin/sh
touch moments-redteam-was-here
exec "$@"
