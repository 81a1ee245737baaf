#!/bin/sh
# Stands in for Slurm: called sbatch, squeue, scancel, scontrol or sacct, by links to this file. Its state is in the
# folder FAKE_SLURM:
#   calls         what was called, a line each
#   hold          if there: jobs stay pending
#   sbatch, ...   shell lines that the command begins with; they may end it (exit 1)
# Jobs run as processes of this machine; jobs/ has a file for each that is in the queue, with its state.
s=$FAKE_SLURM
me=${0##*/}
mkdir -p "$s/jobs" "$s/pids" "$s/scripts"
echo "$me $*" >>"$s/calls"

begin() { # id_task
  echo RUNNING >"$s/jobs/$1"
  (
    export SLURM_ARRAY_JOB_ID="${1%_*}" SLURM_ARRAY_TASK_ID="${1#*_}"
    setsid sh "$s/scripts/${1%_*}" &
    echo $! >"$s/pids/$1"
    wait $!
    rm -f "$s/jobs/$1"
  ) >/dev/null 2>&1 </dev/null &
}

submit() { # script
  id=$(($(cat "$s/last" 2>/dev/null || echo 100) + 1))
  echo $id >"$s/last"
  cp "$1" "$s/scripts/$id"
  last=$(sed -n 's/^#SBATCH --array=0-//p' "$1")
  for task in $(seq 0 "$last"); do
    if [ -e "$s/hold" ]; then echo PENDING >"$s/jobs/${id}_$task"; else begin "${id}_$task"; fi
  done
}

queued() { ls "$s/jobs" | wc -l; }

[ ! -e "$s/$me" ] || . "$s/$me"

case $me in
  sbatch)
    for script; do :; done
    submit "$script"
    echo "$id"
    ;;
  squeue)
    for file in "$s"/jobs/*; do
      state=$(cat "$file" 2>/dev/null)
      [ -n "$state" ] || continue  # it has just ended
      job=${file##*/}
      if [ "$state" = PENDING ] && [ ! -e "$s/hold" ]; then begin "$job"; state=RUNNING; fi
      reason=None
      [ "$state" != PENDING ] || reason=Resources
      echo "$job|$state|$reason|$(sed -n 's/^#SBATCH --job-name=//p' "$s/scripts/${job%_*}")"
    done
    ;;
  scancel)
    signal=TERM
    for word; do
      case $word in
        --signal=*) signal=${word#--signal=} ;;
        --*) ;;
        *)
          case $word in *_*) ;; *) word="${word}_*" ;; esac
          for file in "$s"/jobs/$word; do
            [ -e "$file" ] || continue
            job=${file##*/}
            if grep -qs PENDING "$file"; then rm "$file"; else kill -"$signal" "$(cat "$s/pids/$job")"; fi
          done
          ;;
      esac
    done
    ;;
  scontrol) echo "MaxArraySize            = ${FAKE_SLURM_ARRAY:-1001}" ;;
  sacct) echo "Slurm accounting storage is disabled" >&2; exit 1 ;;
esac
