# Starts and stops this endpoint: start | stop | restart | status | logs | check | token
param([Parameter(Position = 0)][string]$Verb = "", [Parameter(Position = 1)][int]$Lines = 100)
$ErrorActionPreference = "Stop"
$here = $PSScriptRoot
$program = Join-Path $here "bin/fettle-serve@SUFFIX@"
$config = Join-Path $here "serve.json"
$token = Join-Path $here "token"
$pidFile = Join-Path $here "server.pid"
$log = Join-Path $here "server.log"
$errors = Join-Path $here "server.err.log"

function Get-Server {
  if (-not (Test-Path $pidFile)) { return $null }
  Get-Process -Id ([int](Get-Content $pidFile)) -ErrorAction SilentlyContinue
}

function New-Token {
  if ($env:FETTLE_TOKEN -or ((Test-Path $token) -and (Get-Item $token).Length -gt 0)) { return }
  $bytes = New-Object byte[] 32
  [System.Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($bytes)
  [System.IO.File]::WriteAllText($token, (($bytes | ForEach-Object { $_.ToString("x2") }) -join ""))
  if ($IsLinux -or $IsMacOS) { chmod 600 $token }
}

function Start-Server {
  if (Get-Server) { "runs already"; return }
  New-Token
  $options = @{
    FilePath = $program; ArgumentList = "--config", "`"$config`""; PassThru = $true
    RedirectStandardOutput = $log; RedirectStandardError = $errors
  }
  if (-not ($IsLinux -or $IsMacOS)) { $options.WindowStyle = "Hidden" }
  $process = Start-Process @options
  Start-Sleep -Milliseconds 300
  if ($process.HasExited) { Get-Content $errors; throw "the server did not start" }
  Set-Content -Path $pidFile -Value $process.Id
  "started"
}

function Stop-Server {
  $process = Get-Server
  if ($process) { Stop-Process -Id $process.Id; $process.WaitForExit(15000) | Out-Null }
  if (Test-Path $pidFile) { Remove-Item $pidFile }
  "stopped"
}

switch ($Verb) {
  "start" { Start-Server }
  "stop" { Stop-Server }
  "restart" { Stop-Server; Start-Server }
  "status" { if (Get-Server) { "runs" } else { "stopped"; exit 3 } }
  "logs" { Get-Content $log, $errors -Tail $Lines -ErrorAction SilentlyContinue }
  "check" { & $program --config $config --check; exit $LASTEXITCODE }
  "token" { New-Token; Get-Content $token }
  default { [Console]::Error.WriteLine("usage: control.ps1 start | stop | restart | status | logs [LINES] | check | token"); exit 2 }
}
