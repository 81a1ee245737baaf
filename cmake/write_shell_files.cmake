# cmake -DPROGRAM=<qbitopt> -DFOLDER=<folder> -P write_shell_files.cmake: completion for three shells and the manual page.
file(MAKE_DIRECTORY ${FOLDER})
function(write_output file)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${FOLDER}/${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
write_output(qbitopt completion bash)
write_output(_qbitopt completion zsh)
write_output(qbitopt.fish completion fish)
write_output(qbitopt.1 manual)
