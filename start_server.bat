@echo off
rem Starts Nightdesk on Windows: makes .venv, installs what is missing, runs. What "make run" does elsewhere.
rem Options are passed on:  start_server.bat --demo
setlocal
cd /d "%~dp0"

if exist ".venv\Scripts\python.exe" goto have_venv

rem The launcher "py" finds the newest Python 3; without it, whatever "python" is.
py -3 --version >nul 2>nul && py -3 -m venv .venv
if exist ".venv\Scripts\python.exe" goto have_venv
python --version >nul 2>nul && python -m venv .venv
if exist ".venv\Scripts\python.exe" goto have_venv
echo Nightdesk needs Python 3.11 or newer. Get it from https://www.python.org/downloads/windows/ and start this again.
goto failed

:have_venv
set "PY=.venv\Scripts\python.exe"
"%PY%" -c "import sys; sys.exit(sys.version_info < (3, 11))"
if errorlevel 1 (
  echo The folder .venv was made with a Python older than 3.11. Install a newer one, delete .venv and start this again.
  goto failed
)

rem Install again only when the list of packages changed: the copy in .venv is the list that was installed.
fc /b requirements.lock .venv\installed.lock >nul 2>nul
if not errorlevel 1 goto run
echo Installing packages. This takes a minute the first time.
"%PY%" -m pip --disable-pip-version-check install -q --require-hashes -r requirements.lock
if errorlevel 1 goto install_failed
"%PY%" -m pip --disable-pip-version-check install -q --no-deps --no-build-isolation -e .
if errorlevel 1 goto install_failed
copy /y requirements.lock .venv\installed.lock >nul
goto run

:install_failed
echo The packages could not be installed. Is this machine online? The lines above say what failed.
goto failed

:run
"%PY%" run_production.py %*
if errorlevel 1 goto failed
exit /b 0

:failed
rem Started by a double click, the window would close before anybody can read why.
echo %CMDCMDLINE% | find /i "%~nx0" >nul && pause
exit /b 1
