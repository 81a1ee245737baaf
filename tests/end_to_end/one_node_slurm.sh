#!/bin/sh
# one_node_slurm.sh VERB FOLDER: Slurm with this machine as its only node, all its files in FOLDER.
#   start | stop                       all its daemons
#   kill-slurmd | kill-slurmctld       as a crash would, by SIGKILL
#   restart-slurmd | restart-slurmctld after that, with the state that it had
set -eu
folder=$(cd "$2" && pwd)
export SLURM_CONF="$folder/slurm.conf"
pid_files="$folder/slurmd.pid $folder/slurmctld.pid $folder/munged.pid"
wait_for_end() { # pid
  tries=0
  while kill -0 "$1" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
}
case $1 in
  stop)
    for file in $pid_files; do
      pid=$(cat "$file" 2>/dev/null) && kill "$pid" 2>/dev/null || continue
      wait_for_end "$pid"
    done
    exit 0
    ;;
  kill-*)
    pid=$(cat "$folder/${1#kill-}.pid")
    kill -9 "$pid"
    wait_for_end "$pid"
    exit 0
    ;;
  restart-*)
    "/usr/sbin/${1#restart-}"
    exit 0
    ;;
esac
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
host=$(hostname -s)
megabytes=$(awk '/^MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
umask 022
chmod 755 "$folder"
mkdir -p "$folder/state" "$folder/spool"
head -c 1024 /dev/urandom > "$folder/munge.key"
chmod 400 "$folder/munge.key"
cat > "$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SwitchType=switch/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
MaxArraySize=${MAX_ARRAY_SIZE:-5}
MaxJobCount=${MAX_JOB_COUNT:-10000}
KillWait=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$megabytes State=UNKNOWN
PartitionName=main Nodes=$host Default=YES DefMemPerCPU=$((megabytes / $(nproc))) MaxTime=INFINITE State=UP
PartitionName=short Nodes=$host DefMemPerCPU=100 MaxTime=1 State=UP
CONF
/usr/sbin/munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
  --log-file="$folder/munged.log" --seed-file="$folder/munged.seed"
/usr/sbin/slurmctld -c
/usr/sbin/slurmd -c
tries=0
until sinfo --noheader --format=%t 2>/dev/null | grep -q idle; do
  tries=$((tries + 1))
  [ $tries -lt 100 ] || { tail -5 "$folder"/*.log; exit 1; }
  sleep 0.2
done
