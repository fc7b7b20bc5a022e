"""Results of a simulation study: 2,000 trials a line, seed 1010; written by utils.widgets._cracks_study."""

# ruff: noqa: E501
TABLE = """\
settings,covered,hospitals,highest,patients,noisy,calm,new_hospitals,new_above,width,patient_width,new_hospital_width
n_hospitals=15,95.0,94.3,86.9,94.9,94.9,95.0,95.5,2.2,5.45,48.22,27.41
n_hospitals=20,95.6,94.5,86.3,95.0,94.9,94.9,94.9,2.6,4.71,48.13,26.18
n_hospitals=25,95.2,94.6,86.1,95.0,95.2,95.2,95.3,2.4,4.22,48.14,25.79
n_hospitals=30,95.5,94.8,86.4,95.0,94.9,95.1,95.0,2.6,3.85,48.1,25.25
n_hospitals=35,95.6,94.9,85.6,95.0,94.9,94.9,94.9,2.6,3.56,48.12,24.97
n_hospitals=40,95.4,94.8,86.2,95.0,94.8,95.0,95.1,2.5,3.33,48.13,24.78
n_hospitals=45,94.6,94.8,85.2,94.9,95.1,94.9,95.1,2.5,3.14,48.09,24.71
n_hospitals=50,94.6,94.8,84.4,95.0,95.0,95.1,95.1,2.4,2.98,48.07,24.6
n_hospitals=55,94.4,94.9,84.0,95.0,94.9,94.9,94.9,2.6,2.84,48.08,24.37
n_hospitals=60,94.2,94.9,84.2,95.0,95.0,95.1,94.9,2.5,2.72,48.05,24.3
error_df=10 error_law=student_t n_hospitals=15,95.1,94.3,87.2,94.6,94.3,94.8,95.6,2.2,5.45,48.2,27.44
error_df=10 error_law=student_t n_hospitals=20,95.4,94.6,86.3,94.7,94.6,94.6,94.8,2.6,4.71,48.13,26.17
error_df=10 error_law=student_t n_hospitals=25,95.4,94.7,85.7,94.8,94.7,94.7,95.3,2.4,4.22,48.15,25.77
error_df=10 error_law=student_t n_hospitals=30,95.9,94.8,86.1,94.7,94.6,95.0,94.9,2.6,3.85,48.1,25.26
error_df=10 error_law=student_t n_hospitals=35,95.4,94.8,85.6,94.7,94.6,94.6,95.0,2.6,3.56,48.12,24.98
error_df=10 error_law=student_t n_hospitals=40,95.2,94.8,86.6,94.7,94.5,94.8,95.1,2.5,3.33,48.14,24.79
error_df=10 error_law=student_t n_hospitals=45,94.4,94.8,84.5,94.7,94.7,94.7,95.1,2.5,3.14,48.09,24.7
error_df=10 error_law=student_t n_hospitals=50,94.8,94.8,85.6,94.7,94.7,94.7,95.1,2.4,2.98,48.05,24.6
error_df=10 error_law=student_t n_hospitals=55,94.4,94.8,84.8,94.7,94.6,94.6,94.8,2.7,2.84,48.06,24.36
error_df=10 error_law=student_t n_hospitals=60,94.7,94.9,84.3,94.7,94.7,94.9,94.9,2.6,2.72,48.06,24.3
error_df=5 error_law=student_t n_hospitals=15,95.2,94.3,87.4,94.6,94.6,94.8,95.5,2.2,5.44,48.14,27.39
error_df=5 error_law=student_t n_hospitals=20,95.6,94.4,86.2,94.6,94.4,94.8,94.9,2.6,4.7,48.06,26.17
error_df=5 error_law=student_t n_hospitals=25,95.6,94.6,86.9,94.7,94.5,95.0,95.3,2.4,4.21,48.04,25.78
error_df=5 error_law=student_t n_hospitals=30,96.0,94.7,86.6,94.8,94.7,94.7,95.0,2.6,3.84,48.01,25.25
error_df=5 error_law=student_t n_hospitals=35,95.7,94.7,85.2,94.7,94.6,94.5,95.0,2.6,3.56,48.11,24.95
error_df=5 error_law=student_t n_hospitals=40,95.2,94.8,87.1,94.7,94.6,94.8,95.1,2.5,3.33,48.07,24.79
error_df=5 error_law=student_t n_hospitals=45,95.0,94.8,85.5,94.7,94.7,94.7,95.1,2.5,3.14,48.09,24.72
error_df=5 error_law=student_t n_hospitals=50,94.8,94.7,85.4,94.7,94.7,94.9,95.1,2.4,2.98,48.09,24.6
error_df=5 error_law=student_t n_hospitals=55,94.8,94.8,85.0,94.8,94.8,94.7,94.9,2.6,2.84,48.06,24.39
error_df=5 error_law=student_t n_hospitals=60,94.3,94.8,85.4,94.7,94.6,94.9,94.9,2.5,2.72,48.02,24.31
error_df=3 error_law=student_t n_hospitals=15,95.4,94.1,86.8,95.2,95.2,95.4,95.5,2.2,5.34,47.25,27.53
error_df=3 error_law=student_t n_hospitals=20,94.8,94.3,87.4,95.3,95.3,95.2,94.9,2.6,4.63,47.27,26.25
error_df=3 error_law=student_t n_hospitals=25,95.0,94.5,87.4,95.4,95.2,95.6,95.3,2.4,4.13,47.21,25.84
error_df=3 error_law=student_t n_hospitals=30,95.2,94.5,86.4,95.4,95.4,95.3,94.9,2.6,3.79,47.38,25.3
error_df=3 error_law=student_t n_hospitals=35,95.1,94.5,85.9,95.4,95.3,95.4,95.0,2.6,3.5,47.21,25.03
error_df=3 error_law=student_t n_hospitals=40,95.2,94.5,86.9,95.4,95.4,95.4,95.1,2.5,3.29,47.55,24.83
error_df=3 error_law=student_t n_hospitals=45,95.4,94.6,85.8,95.4,95.4,95.4,95.1,2.6,3.1,47.44,24.71
error_df=3 error_law=student_t n_hospitals=50,95.3,94.6,86.1,95.5,95.4,95.6,95.1,2.4,2.94,47.42,24.61
error_df=3 error_law=student_t n_hospitals=55,94.9,94.7,85.6,95.4,95.5,95.5,94.9,2.7,2.8,47.49,24.38
error_df=3 error_law=student_t n_hospitals=60,95.2,94.7,85.8,95.5,95.5,95.5,94.9,2.5,2.67,47.28,24.29
error_law=outliers n_hospitals=15 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.0,94.1,84.7,95.6,95.4,95.5,96.0,2.0,6.43,56.85,28.1
error_law=outliers n_hospitals=20 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.9,94.2,83.4,95.6,95.5,95.6,95.1,2.5,5.56,56.72,26.6
error_law=outliers n_hospitals=25 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.0,94.4,83.0,95.6,95.8,95.4,95.4,2.4,4.98,56.75,26.07
error_law=outliers n_hospitals=30 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.2,94.5,82.8,95.7,95.8,95.6,95.0,2.6,4.54,56.76,25.48
error_law=outliers n_hospitals=35 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.7,94.5,82.4,95.7,95.7,95.7,94.9,2.6,4.21,56.81,25.13
error_law=outliers n_hospitals=40 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.2,94.5,83.4,95.7,95.6,95.8,95.1,2.5,3.94,56.79,24.93
error_law=outliers n_hospitals=45 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,94.5,94.5,82.2,95.8,95.8,95.7,95.1,2.5,3.71,56.76,24.84
error_law=outliers n_hospitals=50 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,95.1,94.5,82.2,95.8,95.7,95.7,95.1,2.4,3.52,56.77,24.73
error_law=outliers n_hospitals=55 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,94.6,94.6,81.6,95.8,95.7,95.7,94.9,2.6,3.36,56.77,24.48
error_law=outliers n_hospitals=60 outlier_scale=3 outlier_share=0.05 patient_sd=14.2,94.6,94.7,81.4,95.7,95.6,95.9,95.0,2.5,3.21,56.77,24.42
error_law=outliers n_hospitals=15 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.5,93.9,83.9,96.5,96.2,96.5,96.7,1.6,8.02,70.73,30.18
error_law=outliers n_hospitals=20 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.9,93.9,81.4,96.5,96.5,96.5,95.8,2.2,6.94,70.59,27.88
error_law=outliers n_hospitals=25 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,94.7,94.0,80.8,96.5,96.7,96.4,95.8,2.1,6.21,70.69,26.88
error_law=outliers n_hospitals=30 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.0,94.0,78.7,96.6,96.7,96.6,95.4,2.4,5.68,70.78,26.08
error_law=outliers n_hospitals=35 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.4,94.1,79.0,96.6,96.6,96.6,95.1,2.5,5.27,70.88,25.58
error_law=outliers n_hospitals=40 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.4,94.1,79.2,96.6,96.6,96.7,95.2,2.4,4.92,70.86,25.31
error_law=outliers n_hospitals=45 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,94.7,94.3,78.0,96.8,96.7,96.7,95.2,2.5,4.64,70.85,25.17
error_law=outliers n_hospitals=50 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,95.4,94.3,77.6,96.8,96.7,96.6,95.2,2.4,4.41,70.9,25.03
error_law=outliers n_hospitals=55 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,94.5,94.4,77.8,96.7,96.7,96.7,94.9,2.6,4.2,70.88,24.75
error_law=outliers n_hospitals=60 outlier_scale=5 outlier_share=0.05 patient_sd=17.8,94.8,94.4,77.6,96.7,96.6,96.8,95.0,2.5,4.03,70.93,24.67
error_law=outliers n_hospitals=15 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.9,93.6,84.2,96.8,96.6,96.9,96.4,1.8,10.94,96.1,37.01
error_law=outliers n_hospitals=20 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.9,93.8,81.4,96.8,96.9,96.8,96.4,1.8,9.47,96.0,32.75
error_law=outliers n_hospitals=25 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,94.6,94.1,79.1,96.8,96.9,96.6,96.8,1.6,8.49,96.23,30.65
error_law=outliers n_hospitals=30 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.4,94.3,76.8,96.8,96.9,96.7,96.7,1.7,7.77,96.49,29.14
error_law=outliers n_hospitals=35 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.5,94.2,75.4,96.8,96.8,96.8,96.3,2.0,7.21,96.68,28.14
error_law=outliers n_hospitals=40 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.2,94.1,73.2,96.8,96.8,96.9,96.1,1.9,6.74,96.65,27.11
error_law=outliers n_hospitals=45 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,94.7,94.2,71.2,96.9,96.9,97.0,96.0,2.0,6.36,96.69,26.63
error_law=outliers n_hospitals=50 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,95.4,94.2,71.3,96.9,96.9,96.8,95.8,2.1,6.04,96.83,26.25
error_law=outliers n_hospitals=55 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,94.8,94.3,69.2,96.9,96.8,96.9,95.5,2.3,5.76,96.78,25.84
error_law=outliers n_hospitals=60 outlier_scale=8 outlier_share=0.05 patient_sd=24.45,94.8,94.3,69.6,96.9,96.9,96.9,95.4,2.3,5.52,96.91,25.54
error_law=differs by hospital error_spread=0.25 n_hospitals=15,95.2,94.1,87.0,94.5,86.0,99.4,95.5,2.2,5.44,48.15,27.42
error_law=differs by hospital error_spread=0.25 n_hospitals=20,96.0,94.3,86.4,94.5,86.0,99.4,94.9,2.6,4.71,48.07,26.22
error_law=differs by hospital error_spread=0.25 n_hospitals=25,95.0,94.3,86.7,94.7,86.4,99.5,95.3,2.4,4.2,47.98,25.8
error_law=differs by hospital error_spread=0.25 n_hospitals=30,95.2,94.5,86.4,94.6,86.1,99.5,95.0,2.6,3.84,48.01,25.25
error_law=differs by hospital error_spread=0.25 n_hospitals=35,95.6,94.5,85.5,94.6,85.9,99.5,95.0,2.6,3.56,48.09,24.97
error_law=differs by hospital error_spread=0.25 n_hospitals=40,95.6,94.5,86.6,94.5,85.6,99.5,95.1,2.5,3.33,48.06,24.8
error_law=differs by hospital error_spread=0.25 n_hospitals=45,94.8,94.4,85.0,94.5,85.5,99.5,95.1,2.5,3.14,48.02,24.71
error_law=differs by hospital error_spread=0.25 n_hospitals=50,95.1,94.5,85.2,94.6,85.9,99.5,95.1,2.4,2.97,48.03,24.62
error_law=differs by hospital error_spread=0.25 n_hospitals=55,94.8,94.5,85.2,94.6,85.7,99.5,94.8,2.7,2.84,48.06,24.38
error_law=differs by hospital error_spread=0.25 n_hospitals=60,94.5,94.5,84.9,94.5,85.7,99.5,94.9,2.5,2.71,47.97,24.31
error_law=differs by hospital error_spread=0.5 n_hospitals=15,95.0,94.0,88.6,93.9,78.8,100.0,95.5,2.2,5.38,47.64,27.45
error_law=differs by hospital error_spread=0.5 n_hospitals=20,95.9,94.1,88.4,94.0,79.0,100.0,95.0,2.6,4.67,47.68,26.27
error_law=differs by hospital error_spread=0.5 n_hospitals=25,94.9,94.1,87.4,94.2,79.1,100.0,95.2,2.4,4.16,47.46,25.82
error_law=differs by hospital error_spread=0.5 n_hospitals=30,95.4,94.3,88.0,94.2,79.3,100.0,94.9,2.6,3.81,47.71,25.25
error_law=differs by hospital error_spread=0.5 n_hospitals=35,95.2,94.3,87.6,94.2,78.8,100.0,94.9,2.6,3.55,47.92,24.96
error_law=differs by hospital error_spread=0.5 n_hospitals=40,95.2,94.2,87.4,94.1,78.3,100.0,95.1,2.5,3.31,47.85,24.81
error_law=differs by hospital error_spread=0.5 n_hospitals=45,94.3,94.4,86.7,94.1,78.5,100.0,95.1,2.5,3.13,47.87,24.72
error_law=differs by hospital error_spread=0.5 n_hospitals=50,95.3,94.3,86.8,94.2,78.6,100.0,95.1,2.4,2.96,47.85,24.63
error_law=differs by hospital error_spread=0.5 n_hospitals=55,95.2,94.3,86.8,94.1,78.5,100.0,94.8,2.6,2.83,47.86,24.39
error_law=differs by hospital error_spread=0.5 n_hospitals=60,94.4,94.4,86.7,94.2,78.6,100.0,94.8,2.5,2.7,47.82,24.31
error_law=differs by hospital error_spread=0.75 n_hospitals=15,95.2,94.0,90.2,93.7,74.6,100.0,95.6,2.1,5.22,46.14,27.74
error_law=differs by hospital error_spread=0.75 n_hospitals=20,95.6,94.2,89.8,94.0,75.4,100.0,94.9,2.6,4.55,46.44,26.45
error_law=differs by hospital error_spread=0.75 n_hospitals=25,95.2,94.1,89.1,94.1,75.6,100.0,95.2,2.5,4.04,46.16,25.86
error_law=differs by hospital error_spread=0.75 n_hospitals=30,95.4,94.4,89.4,94.3,76.2,100.0,94.9,2.6,3.74,46.82,25.28
error_law=differs by hospital error_spread=0.75 n_hospitals=35,94.9,94.4,89.4,94.3,75.9,100.0,94.8,2.7,3.5,47.29,24.93
error_law=differs by hospital error_spread=0.75 n_hospitals=40,94.4,94.4,89.1,94.3,75.5,100.0,95.0,2.5,3.27,47.16,24.83
error_law=differs by hospital error_spread=0.75 n_hospitals=45,94.9,94.6,89.0,94.3,75.6,100.0,95.1,2.5,3.09,47.38,24.74
error_law=differs by hospital error_spread=0.75 n_hospitals=50,94.6,94.5,88.4,94.4,75.8,100.0,95.0,2.5,2.93,47.25,24.63
error_law=differs by hospital error_spread=0.75 n_hospitals=55,95.0,94.6,89.0,94.4,75.7,100.0,94.8,2.6,2.79,47.16,24.38
error_law=differs by hospital error_spread=0.75 n_hospitals=60,94.4,94.6,88.9,94.4,75.9,100.0,94.8,2.6,2.68,47.39,24.31
error_law=grows with mean error_spread=0.25 n_hospitals=15,94.8,94.1,81.1,94.6,88.1,98.8,95.3,2.4,5.09,45.07,27.2
error_law=grows with mean error_spread=0.25 n_hospitals=20,95.6,94.3,79.6,94.7,88.1,98.8,94.7,2.7,4.4,44.94,26.02
error_law=grows with mean error_spread=0.25 n_hospitals=25,95.4,94.5,79.5,94.7,88.4,99.0,95.2,2.5,3.94,44.98,25.67
error_law=grows with mean error_spread=0.25 n_hospitals=30,95.7,94.6,79.4,94.7,88.2,98.8,94.9,2.6,3.59,44.98,25.17
error_law=grows with mean error_spread=0.25 n_hospitals=35,95.2,94.6,77.4,94.7,88.4,98.9,94.9,2.7,3.33,44.98,24.89
error_law=grows with mean error_spread=0.25 n_hospitals=40,95.4,94.7,79.4,94.7,88.0,98.9,95.0,2.6,3.11,45.0,24.72
error_law=grows with mean error_spread=0.25 n_hospitals=45,94.4,94.8,78.0,94.7,88.2,98.9,95.1,2.5,2.93,44.97,24.67
error_law=grows with mean error_spread=0.25 n_hospitals=50,94.3,94.7,76.4,94.8,88.5,99.0,95.1,2.5,2.78,44.98,24.55
error_law=grows with mean error_spread=0.25 n_hospitals=55,94.2,94.7,76.9,94.8,88.4,99.0,94.8,2.7,2.65,44.97,24.32
error_law=grows with mean error_spread=0.25 n_hospitals=60,94.8,94.7,76.9,94.7,88.4,98.9,94.9,2.6,2.54,44.93,24.27
error_law=grows with mean error_spread=0.5 n_hospitals=15,94.8,93.7,73.7,94.1,81.9,99.8,95.1,2.6,5.06,44.82,27.16
error_law=grows with mean error_spread=0.5 n_hospitals=20,95.3,94.0,72.0,94.2,81.9,99.9,94.6,2.9,4.37,44.62,25.96
error_law=grows with mean error_spread=0.5 n_hospitals=25,95.9,94.3,71.7,94.3,82.1,99.9,95.1,2.6,3.92,44.74,25.63
error_law=grows with mean error_spread=0.5 n_hospitals=30,95.4,94.4,71.2,94.3,82.0,99.9,94.8,2.8,3.58,44.76,25.14
error_law=grows with mean error_spread=0.5 n_hospitals=35,95.0,94.3,68.7,94.3,82.1,99.9,94.8,2.8,3.31,44.74,24.86
error_law=grows with mean error_spread=0.5 n_hospitals=40,95.2,94.6,70.1,94.2,81.7,99.9,94.9,2.6,3.1,44.79,24.71
error_law=grows with mean error_spread=0.5 n_hospitals=45,94.6,94.6,69.8,94.3,81.8,99.9,95.0,2.6,2.92,44.78,24.66
error_law=grows with mean error_spread=0.5 n_hospitals=50,94.2,94.6,67.8,94.3,82.1,99.9,95.0,2.5,2.77,44.81,24.54
error_law=grows with mean error_spread=0.5 n_hospitals=55,94.2,94.5,67.2,94.3,82.2,99.9,94.8,2.8,2.64,44.77,24.3
error_law=grows with mean error_spread=0.5 n_hospitals=60,94.9,94.6,67.2,94.3,82.0,99.9,94.8,2.6,2.53,44.73,24.26
error_law=grows with mean error_spread=0.75 n_hospitals=15,94.8,93.3,66.4,93.8,77.2,100.0,95.0,2.8,5.34,47.26,27.27
error_law=grows with mean error_spread=0.75 n_hospitals=20,95.2,93.6,64.2,93.9,77.2,100.0,94.4,3.1,4.59,46.94,26.0
error_law=grows with mean error_spread=0.75 n_hospitals=25,95.6,93.9,62.9,94.1,77.7,100.0,95.0,2.8,4.13,47.22,25.66
error_law=grows with mean error_spread=0.75 n_hospitals=30,95.4,94.1,62.3,94.0,77.3,100.0,94.6,2.9,3.78,47.24,25.17
error_law=grows with mean error_spread=0.75 n_hospitals=35,94.4,94.0,60.2,94.1,77.7,100.0,94.7,2.9,3.49,47.21,24.88
error_law=grows with mean error_spread=0.75 n_hospitals=40,95.1,94.3,59.6,94.0,77.2,100.0,94.8,2.8,3.28,47.32,24.73
error_law=grows with mean error_spread=0.75 n_hospitals=45,94.5,94.3,60.4,94.0,77.3,100.0,94.9,2.7,3.09,47.35,24.69
error_law=grows with mean error_spread=0.75 n_hospitals=50,94.0,94.4,58.3,94.1,77.6,100.0,94.9,2.6,2.94,47.4,24.57
error_law=grows with mean error_spread=0.75 n_hospitals=55,94.2,94.3,57.2,94.2,77.9,100.0,94.7,2.9,2.8,47.33,24.31
error_law=grows with mean error_spread=0.75 n_hospitals=60,95.0,94.4,57.4,94.1,77.5,100.0,94.7,2.7,2.67,47.29,24.26
error_law=grows with mean error_spread=0.25 n_hospitals=15 treated_share=0.75,91.1,93.5,81.8,93.5,86.5,98.4,95.0,2.6,5.77,42.63,27.25
n_hospitals=15 treated_share=0.75,95.2,94.6,88.8,95.0,94.9,95.1,95.3,2.3,6.54,48.31,27.6
error_law=grows with mean error_spread=0.25 n_hospitals=20 treated_share=0.75,91.8,93.6,81.2,93.4,86.2,98.2,94.6,2.8,4.98,42.48,26.11
n_hospitals=20 treated_share=0.75,94.1,94.6,88.4,95.0,95.0,95.0,94.8,2.6,5.65,48.18,26.4
error_law=grows with mean error_spread=0.25 n_hospitals=25 treated_share=0.75,90.6,94.1,81.7,93.5,86.6,98.4,95.1,2.6,4.46,42.51,25.74
n_hospitals=25 treated_share=0.75,94.1,94.6,87.8,95.0,95.0,95.1,95.3,2.5,5.05,48.18,25.96
error_law=grows with mean error_spread=0.25 n_hospitals=30 treated_share=0.75,92.2,94.3,81.6,93.5,86.5,98.3,94.8,2.7,4.07,42.51,25.23
n_hospitals=30 treated_share=0.75,94.8,94.8,87.8,95.0,94.7,95.1,94.9,2.6,4.61,48.14,25.41
error_law=grows with mean error_spread=0.25 n_hospitals=35 treated_share=0.75,93.2,94.4,79.8,93.5,86.4,98.3,94.8,2.7,3.77,42.5,24.96
n_hospitals=35 treated_share=0.75,95.2,94.8,86.8,95.0,94.9,94.9,94.9,2.6,4.27,48.15,25.1
error_law=grows with mean error_spread=0.25 n_hospitals=40 treated_share=0.75,94.0,94.5,81.0,93.5,86.1,98.4,95.0,2.5,3.53,42.52,24.78
n_hospitals=40 treated_share=0.75,96.0,94.9,87.9,95.0,94.8,94.9,95.1,2.5,4.0,48.16,24.91
error_law=grows with mean error_spread=0.25 n_hospitals=45 treated_share=0.75,91.8,94.4,78.9,93.5,86.2,98.3,95.0,2.6,3.32,42.47,24.72
n_hospitals=45 treated_share=0.75,94.7,94.7,86.0,94.9,94.9,95.2,95.1,2.5,3.76,48.1,24.83
error_law=grows with mean error_spread=0.25 n_hospitals=50 treated_share=0.75,93.2,94.5,78.2,93.5,86.6,98.4,95.0,2.4,3.15,42.5,24.58
n_hospitals=50 treated_share=0.75,95.8,94.8,85.9,95.0,95.0,95.0,95.1,2.4,3.57,48.08,24.7
error_law=grows with mean error_spread=0.25 n_hospitals=55 treated_share=0.75,92.1,94.4,78.2,93.5,86.3,98.5,94.8,2.7,3.01,42.47,24.37
n_hospitals=55 treated_share=0.75,94.4,94.8,85.2,95.0,95.1,94.9,94.8,2.6,3.41,48.1,24.48
error_law=grows with mean error_spread=0.25 n_hospitals=60 treated_share=0.75,92.2,94.6,78.4,93.4,86.3,98.4,94.8,2.6,2.88,42.44,24.31
n_hospitals=60 treated_share=0.75,94.8,94.9,85.6,95.0,94.9,95.1,94.9,2.5,3.26,48.06,24.39
error_law=grows with mean error_spread=0.5 n_hospitals=15 treated_share=0.75,86.9,92.2,74.7,91.9,77.6,99.7,94.7,2.8,5.4,39.93,27.09
error_law=grows with mean error_spread=0.5 n_hospitals=20 treated_share=0.75,88.0,92.7,72.5,91.8,76.6,99.6,94.4,3.0,4.65,39.72,25.96
error_law=grows with mean error_spread=0.5 n_hospitals=25 treated_share=0.75,87.2,93.3,72.5,92.0,77.5,99.8,95.0,2.7,4.17,39.82,25.63
error_law=grows with mean error_spread=0.5 n_hospitals=30 treated_share=0.75,89.6,93.6,71.2,92.0,77.2,99.7,94.7,2.8,3.82,39.86,25.14
error_law=grows with mean error_spread=0.5 n_hospitals=35 treated_share=0.75,89.7,93.7,70.4,91.9,77.3,99.7,94.7,2.8,3.53,39.82,24.89
error_law=grows with mean error_spread=0.5 n_hospitals=40 treated_share=0.75,90.6,94.0,71.6,91.9,76.9,99.7,94.9,2.6,3.31,39.86,24.72
error_law=grows with mean error_spread=0.5 n_hospitals=45 treated_share=0.75,88.1,93.9,69.7,91.9,76.7,99.7,94.9,2.7,3.11,39.84,24.67
error_law=grows with mean error_spread=0.5 n_hospitals=50 treated_share=0.75,90.2,94.0,67.8,92.0,77.4,99.7,94.9,2.5,2.96,39.9,24.52
error_law=grows with mean error_spread=0.5 n_hospitals=55 treated_share=0.75,89.6,94.0,68.0,91.9,77.0,99.7,94.7,2.8,2.82,39.84,24.32
error_law=grows with mean error_spread=0.5 n_hospitals=60 treated_share=0.75,88.9,94.1,67.8,91.9,76.9,99.7,94.8,2.6,2.7,39.81,24.26
error_law=grows with mean error_spread=0.75 n_hospitals=15 treated_share=0.75,83.6,90.8,67.4,90.9,70.4,100.0,94.4,3.0,5.37,39.73,27.05
error_law=grows with mean error_spread=0.75 n_hospitals=20 treated_share=0.75,85.2,92.0,65.5,90.8,69.4,100.0,94.1,3.2,4.62,39.4,25.9
error_law=grows with mean error_spread=0.75 n_hospitals=25 treated_share=0.75,84.2,92.5,63.6,91.2,70.9,100.0,94.8,2.9,4.16,39.65,25.59
error_law=grows with mean error_spread=0.75 n_hospitals=30 treated_share=0.75,86.5,93.0,63.1,91.0,70.1,100.0,94.5,2.9,3.8,39.72,25.11
error_law=grows with mean error_spread=0.75 n_hospitals=35 treated_share=0.75,85.6,93.1,61.8,91.1,70.4,100.0,94.5,3.0,3.52,39.66,24.87
error_law=grows with mean error_spread=0.75 n_hospitals=40 treated_share=0.75,86.4,93.5,61.4,91.0,69.9,100.0,94.7,2.8,3.29,39.73,24.71
error_law=grows with mean error_spread=0.75 n_hospitals=45 treated_share=0.75,84.4,93.5,60.4,91.0,69.6,100.0,94.8,2.7,3.11,39.75,24.66
error_law=grows with mean error_spread=0.75 n_hospitals=50 treated_share=0.75,86.2,93.7,58.1,91.2,70.2,100.0,94.8,2.6,2.96,39.85,24.5
error_law=grows with mean error_spread=0.75 n_hospitals=55 treated_share=0.75,86.3,93.7,59.0,91.1,70.0,100.0,94.6,2.8,2.81,39.75,24.3
error_law=grows with mean error_spread=0.75 n_hospitals=60 treated_share=0.75,85.8,93.9,57.9,91.0,69.8,100.0,94.7,2.7,2.69,39.73,24.24
hospital_law=skewed hospital_sd=3 n_hospitals=15,95.0,93.2,70.4,94.8,94.7,95.1,94.4,3.8,5.45,47.82,18.29
hospital_sd=3 n_hospitals=15,95.0,93.7,82.2,94.9,94.7,95.1,96.6,1.6,5.45,47.87,18.19
hospital_law=skewed hospital_sd=3 n_hospitals=20,95.6,93.9,64.6,94.9,94.8,94.9,94.8,4.2,4.71,47.73,16.52
hospital_sd=3 n_hospitals=20,95.6,94.3,79.6,94.9,94.8,94.9,96.9,1.6,4.71,47.78,16.21
hospital_law=skewed hospital_sd=3 n_hospitals=25,95.2,94.4,59.8,95.0,95.1,95.1,95.4,4.0,4.22,47.77,15.46
hospital_sd=3 n_hospitals=25,95.2,94.6,77.8,95.0,95.1,95.0,97.2,1.5,4.22,47.8,15.08
hospital_law=skewed hospital_sd=3 n_hospitals=30,95.5,94.7,54.6,95.0,94.8,95.0,95.4,4.2,3.85,47.73,14.58
hospital_sd=3 n_hospitals=30,95.5,94.5,74.8,95.0,94.9,95.0,96.6,1.7,3.85,47.76,14.29
hospital_law=skewed hospital_sd=3 n_hospitals=35,95.6,94.6,49.8,95.0,94.9,94.9,95.1,4.6,3.56,47.76,14.02
hospital_sd=3 n_hospitals=35,95.6,94.5,71.6,95.0,94.9,94.8,96.3,1.9,3.56,47.79,13.8
hospital_law=skewed hospital_sd=3 n_hospitals=40,95.4,94.9,47.2,95.0,94.9,95.1,95.3,4.6,3.33,47.77,13.61
hospital_sd=3 n_hospitals=40,95.4,94.5,72.0,95.0,94.8,95.0,96.1,2.0,3.33,47.79,13.46
hospital_law=skewed hospital_sd=3 n_hospitals=45,94.6,94.8,43.9,94.9,95.0,94.9,95.1,4.7,3.14,47.73,13.34
hospital_sd=3 n_hospitals=45,94.6,94.5,70.6,94.9,95.0,94.9,95.9,2.0,3.14,47.76,13.26
hospital_law=skewed hospital_sd=3 n_hospitals=50,94.6,94.9,41.8,95.0,94.9,95.0,95.4,4.6,2.98,47.72,13.17
hospital_sd=3 n_hospitals=50,94.6,94.6,69.7,95.0,94.9,95.0,95.8,2.1,2.98,47.74,13.08
hospital_law=skewed hospital_sd=3 n_hospitals=55,94.4,94.8,37.3,95.0,94.9,94.9,94.9,5.0,2.84,47.73,12.83
hospital_sd=3 n_hospitals=55,94.4,94.6,68.0,94.9,94.9,94.8,95.5,2.4,2.84,47.75,12.86
hospital_law=skewed hospital_sd=3 n_hospitals=60,94.2,94.8,36.0,95.0,94.9,95.1,95.0,5.0,2.72,47.7,12.67
hospital_sd=3 n_hospitals=60,94.2,94.5,67.4,95.0,94.9,95.1,95.4,2.3,2.72,47.72,12.71
hospital_law=skewed n_hospitals=15,95.0,94.4,79.8,94.9,94.9,95.1,94.5,5.4,5.45,48.18,27.02
hospital_law=skewed n_hospitals=20,95.6,94.4,76.1,94.9,94.8,94.8,93.7,6.2,4.71,48.09,25.33
hospital_law=skewed n_hospitals=25,95.2,94.6,75.1,95.0,95.1,95.2,94.3,5.7,4.22,48.12,25.16
hospital_law=skewed n_hospitals=30,95.5,94.7,72.4,95.0,94.9,95.0,94.2,5.8,3.85,48.07,24.66
hospital_law=skewed n_hospitals=35,95.6,94.7,70.6,95.0,95.0,94.9,94.1,5.9,3.56,48.1,24.39
hospital_law=skewed n_hospitals=40,95.4,94.7,71.5,95.0,94.9,95.0,94.4,5.6,3.33,48.11,24.36
hospital_law=skewed n_hospitals=45,94.6,94.7,69.6,94.9,95.1,94.9,94.4,5.6,3.14,48.07,24.32
hospital_law=skewed n_hospitals=50,94.6,94.7,68.8,95.0,95.0,95.0,94.7,5.3,2.98,48.05,24.32
hospital_law=skewed n_hospitals=55,94.4,94.8,66.0,95.0,94.9,94.9,94.3,5.7,2.84,48.07,23.99
hospital_law=skewed n_hospitals=60,94.2,94.9,66.8,95.0,94.9,95.1,94.4,5.6,2.72,48.03,23.96
hospital_law=skewed hospital_sd=12 n_hospitals=15,95.0,94.9,89.6,95.0,94.9,95.0,93.7,6.3,5.45,48.36,51.35
hospital_sd=12 n_hospitals=15,95.0,95.0,92.4,95.0,95.0,95.1,95.1,2.4,5.45,48.37,52.94
hospital_law=skewed hospital_sd=12 n_hospitals=20,95.6,94.8,88.1,95.0,94.9,94.8,93.4,6.6,4.71,48.26,48.96
hospital_sd=12 n_hospitals=20,95.6,95.0,92.4,95.0,94.9,94.9,94.7,2.7,4.71,48.27,51.04
hospital_law=skewed hospital_sd=12 n_hospitals=25,95.2,94.9,88.1,95.0,95.2,95.2,94.1,5.9,4.22,48.28,49.16
hospital_sd=12 n_hospitals=25,95.2,94.9,92.1,95.0,95.2,95.2,95.2,2.5,4.22,48.29,50.55
hospital_law=skewed hospital_sd=12 n_hospitals=30,95.5,94.9,88.3,95.0,94.9,95.1,94.0,6.0,3.85,48.23,48.39
hospital_sd=12 n_hospitals=30,95.5,95.0,92.2,95.0,94.9,95.0,94.9,2.6,3.85,48.24,49.69
hospital_law=skewed hospital_sd=12 n_hospitals=35,95.6,95.0,87.1,95.0,94.9,94.9,94.0,6.0,3.56,48.26,48.03
hospital_sd=12 n_hospitals=35,95.6,95.0,91.6,95.0,94.9,94.9,94.9,2.7,3.56,48.27,49.25
hospital_law=skewed hospital_sd=12 n_hospitals=40,95.4,94.9,88.2,95.0,94.9,95.1,94.3,5.7,3.33,48.26,48.07
hospital_sd=12 n_hospitals=40,95.4,94.9,92.8,95.0,94.9,95.1,95.0,2.5,3.33,48.27,48.95
hospital_law=skewed hospital_sd=12 n_hospitals=45,94.6,94.9,86.8,94.9,95.1,94.9,94.3,5.7,3.14,48.22,48.04
hospital_sd=12 n_hospitals=45,94.6,94.9,91.6,94.9,95.1,94.9,95.0,2.6,3.14,48.23,48.86
hospital_law=skewed hospital_sd=12 n_hospitals=50,94.6,94.9,87.0,95.0,95.0,95.0,94.6,5.4,2.98,48.2,48.08
hospital_sd=12 n_hospitals=50,94.6,94.9,91.4,95.0,95.0,95.1,95.1,2.4,2.98,48.21,48.65
hospital_law=skewed hospital_sd=12 n_hospitals=55,94.4,95.0,86.2,94.9,94.9,94.9,94.2,5.8,2.84,48.22,47.53
hospital_sd=12 n_hospitals=55,94.4,95.0,91.8,95.0,94.9,94.9,94.8,2.7,2.84,48.23,48.29
hospital_law=skewed hospital_sd=12 n_hospitals=60,94.2,95.0,86.5,95.0,94.9,95.2,94.4,5.6,2.72,48.18,47.52
hospital_sd=12 n_hospitals=60,94.2,95.0,91.8,95.0,94.9,95.2,94.9,2.6,2.72,48.19,48.21
hospital_law=bimodal hospital_sd=3 n_hospitals=15,95.0,94.1,86.6,94.9,94.7,95.1,98.0,1.0,5.45,47.88,18.12
hospital_law=bimodal hospital_sd=3 n_hospitals=20,95.6,94.8,85.8,94.9,94.8,94.9,98.8,0.6,4.71,47.79,16.09
hospital_law=bimodal hospital_sd=3 n_hospitals=25,95.2,94.9,85.2,95.0,95.1,95.1,99.1,0.5,4.22,47.81,14.94
hospital_law=bimodal hospital_sd=3 n_hospitals=30,95.5,95.0,83.6,95.0,94.8,95.0,99.1,0.4,3.85,47.77,14.21
hospital_law=bimodal hospital_sd=3 n_hospitals=35,95.6,94.9,82.3,95.0,94.9,94.9,98.9,0.6,3.56,47.79,13.71
hospital_law=bimodal hospital_sd=3 n_hospitals=40,95.4,95.0,83.3,95.0,94.9,95.0,98.9,0.5,3.33,47.8,13.4
hospital_law=bimodal hospital_sd=3 n_hospitals=45,94.6,94.9,81.9,94.9,95.0,94.9,98.8,0.5,3.14,47.76,13.21
hospital_law=bimodal hospital_sd=3 n_hospitals=50,94.6,95.0,82.0,95.0,94.9,95.0,98.8,0.6,2.98,47.74,13.08
hospital_law=bimodal hospital_sd=3 n_hospitals=55,94.4,95.0,81.2,95.0,95.0,94.9,98.6,0.7,2.84,47.76,12.84
hospital_law=bimodal hospital_sd=3 n_hospitals=60,94.2,94.9,81.0,95.0,94.9,95.1,98.6,0.7,2.72,47.72,12.73
hospital_law=bimodal n_hospitals=15,95.0,94.4,89.8,94.9,94.8,95.1,98.4,0.8,5.45,48.23,27.54
hospital_law=bimodal n_hospitals=20,95.6,94.6,89.5,94.9,94.8,94.8,98.4,0.8,4.71,48.14,26.39
hospital_law=bimodal n_hospitals=25,95.2,94.8,89.8,95.0,95.1,95.1,98.6,0.7,4.22,48.15,25.86
hospital_law=bimodal n_hospitals=30,95.5,94.9,90.2,95.0,94.9,95.1,98.7,0.7,3.85,48.11,25.41
hospital_law=bimodal n_hospitals=35,95.6,94.9,89.6,95.0,94.9,94.9,98.7,0.7,3.56,48.13,25.1
hospital_law=bimodal n_hospitals=40,95.4,94.8,91.0,95.0,94.8,95.0,98.8,0.6,3.33,48.13,24.9
hospital_law=bimodal n_hospitals=45,94.6,94.8,89.4,94.9,95.1,94.9,98.9,0.5,3.14,48.09,24.79
hospital_law=bimodal n_hospitals=50,94.6,94.9,89.7,95.0,95.0,95.0,99.0,0.5,2.98,48.07,24.7
hospital_law=bimodal n_hospitals=55,94.4,94.9,90.0,95.0,95.0,94.9,98.9,0.6,2.84,48.09,24.46
hospital_law=bimodal n_hospitals=60,94.2,94.9,89.8,95.0,95.0,95.1,98.9,0.5,2.72,48.05,24.38
hospital_law=bimodal hospital_sd=12 n_hospitals=15,95.0,94.9,93.2,95.0,94.9,95.1,98.4,0.7,5.45,48.38,53.36
hospital_law=bimodal hospital_sd=12 n_hospitals=20,95.6,94.9,93.2,95.0,94.9,94.8,98.6,0.7,4.71,48.28,51.53
hospital_law=bimodal hospital_sd=12 n_hospitals=25,95.2,94.9,93.1,95.0,95.2,95.2,98.9,0.6,4.22,48.29,50.74
hospital_law=bimodal hospital_sd=12 n_hospitals=30,95.5,95.0,93.5,95.0,94.9,95.0,98.9,0.6,3.85,48.24,50.01
hospital_law=bimodal hospital_sd=12 n_hospitals=35,95.6,95.1,93.1,95.0,94.9,94.9,98.9,0.6,3.56,48.27,49.51
hospital_law=bimodal hospital_sd=12 n_hospitals=40,95.4,94.9,94.1,95.0,94.8,95.1,99.0,0.5,3.33,48.27,49.2
hospital_law=bimodal hospital_sd=12 n_hospitals=45,94.6,94.9,92.8,94.9,95.1,94.9,99.0,0.5,3.14,48.23,49.0
hospital_law=bimodal hospital_sd=12 n_hospitals=50,94.6,94.9,92.6,95.0,95.0,95.0,99.1,0.4,2.98,48.21,48.84
hospital_law=bimodal hospital_sd=12 n_hospitals=55,94.4,95.0,93.3,95.0,94.9,94.9,99.0,0.5,2.84,48.23,48.49
hospital_law=bimodal hospital_sd=12 n_hospitals=60,94.2,95.0,93.2,95.0,94.9,95.2,99.0,0.5,2.72,48.19,48.38
n_hospitals=15 n_noise_hospital_predictors=3,95.0,94.4,89.7,94.9,94.9,95.1,95.5,2.1,5.45,48.26,32.39
n_hospitals=20 n_noise_hospital_predictors=3,95.6,94.6,88.2,95.0,95.0,94.9,94.9,2.5,4.71,48.15,29.19
n_hospitals=25 n_noise_hospital_predictors=3,95.2,94.6,87.6,95.0,95.2,95.1,95.2,2.4,4.22,48.17,28.07
n_hospitals=30 n_noise_hospital_predictors=3,95.5,94.8,87.7,95.0,94.9,95.0,95.1,2.5,3.85,48.12,27.03
n_hospitals=35 n_noise_hospital_predictors=3,95.6,94.9,86.4,95.0,94.9,94.9,94.9,2.6,3.56,48.14,26.46
n_hospitals=40 n_noise_hospital_predictors=3,95.4,94.8,88.4,95.0,94.9,95.0,95.1,2.5,3.33,48.14,26.03
n_hospitals=45 n_noise_hospital_predictors=3,94.6,94.8,86.3,94.9,95.1,94.9,95.1,2.5,3.14,48.1,25.84
n_hospitals=50 n_noise_hospital_predictors=3,94.6,94.8,86.1,95.0,95.0,95.0,95.1,2.4,2.98,48.08,25.6
n_hospitals=55 n_noise_hospital_predictors=3,94.4,94.9,85.4,95.0,94.9,94.9,94.8,2.7,2.84,48.09,25.23
n_hospitals=60 n_noise_hospital_predictors=3,94.2,94.9,85.9,95.0,94.9,95.2,94.9,2.6,2.72,48.06,25.09
n_hospitals=15 n_noise_hospital_predictors=6,95.0,94.4,91.6,94.9,94.9,95.1,95.8,2.0,5.45,48.3,40.59
n_hospitals=20 n_noise_hospital_predictors=6,95.6,94.6,89.5,95.0,94.9,94.8,94.8,2.7,4.71,48.18,33.43
n_hospitals=25 n_noise_hospital_predictors=6,95.2,94.7,89.5,95.0,95.2,95.1,95.4,2.3,4.22,48.19,30.96
n_hospitals=30 n_noise_hospital_predictors=6,95.5,94.8,89.8,95.0,94.9,95.0,95.1,2.5,3.85,48.14,29.18
n_hospitals=35 n_noise_hospital_predictors=6,95.6,94.9,87.8,95.0,94.9,94.9,94.9,2.6,3.56,48.16,28.2
n_hospitals=40 n_noise_hospital_predictors=6,95.4,94.9,89.4,95.0,94.8,95.1,95.1,2.4,3.33,48.16,27.52
n_hospitals=45 n_noise_hospital_predictors=6,94.6,94.8,87.2,94.9,95.1,94.9,95.2,2.4,3.14,48.11,27.05
n_hospitals=50 n_noise_hospital_predictors=6,94.6,94.7,86.6,95.0,95.0,95.0,95.1,2.4,2.98,48.09,26.66
n_hospitals=55 n_noise_hospital_predictors=6,94.4,94.9,86.6,94.9,94.9,94.9,94.8,2.6,2.84,48.1,26.16
n_hospitals=60 n_noise_hospital_predictors=6,94.2,94.9,86.6,95.0,95.0,95.2,94.9,2.5,2.72,48.07,25.97
n_hospitals=15 n_noise_hospital_predictors=10,95.0,94.4,92.8,94.9,95.0,95.1,95.5,2.3,5.45,48.34,70.78
n_hospitals=20 n_noise_hospital_predictors=10,95.6,94.6,91.3,95.0,94.9,94.9,95.3,2.4,4.71,48.22,42.87
n_hospitals=25 n_noise_hospital_predictors=10,95.2,94.6,91.3,95.0,95.2,95.1,95.4,2.3,4.22,48.22,36.4
n_hospitals=30 n_noise_hospital_predictors=10,95.5,94.7,91.2,95.0,94.9,95.0,95.1,2.5,3.85,48.16,32.89
n_hospitals=35 n_noise_hospital_predictors=10,95.6,94.8,89.2,95.0,94.9,94.9,94.8,2.6,3.56,48.18,31.01
n_hospitals=40 n_noise_hospital_predictors=10,95.4,94.9,90.6,95.0,94.8,95.1,95.1,2.4,3.33,48.18,29.76
n_hospitals=45 n_noise_hospital_predictors=10,94.6,94.7,88.6,94.9,95.1,94.9,95.1,2.4,3.14,48.13,28.95
n_hospitals=50 n_noise_hospital_predictors=10,94.6,94.8,88.1,95.0,95.0,95.0,95.0,2.5,2.98,48.1,28.29
n_hospitals=55 n_noise_hospital_predictors=10,94.4,94.9,88.3,94.9,94.9,94.9,94.9,2.6,2.84,48.12,27.59
n_hospitals=60 n_noise_hospital_predictors=10,94.2,94.9,88.1,95.0,95.0,95.2,95.0,2.5,2.72,48.08,27.26
"""
